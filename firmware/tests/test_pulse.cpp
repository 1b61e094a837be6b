#include <doctest/doctest.h>

#include <random>

#include "../core/pulse.h"

using namespace meter;

namespace {

// Ticks until neither output is on any more; what was on, in ticks.
int width(Pulser& pulser, bool raise) {
  int on = 0;
  for (int tick = 0; tick < 70000; ++tick) {
    pulser.tick();
    REQUIRE_FALSE((pulser.raising() && pulser.lowering()));
    if (!pulser.raising() && !pulser.lowering()) return on;
    REQUIRE(pulser.raising() == raise);
    ++on;
  }
  return on;
}

void rest(Pulser& pulser) {
  for (int tick = 0; tick < REST_MS; ++tick) pulser.tick();
}

}  // namespace

TEST_CASE("pulse: lasts as many ticks as it has milliseconds, from the shortest to the longest") {
  Pulser pulser;
  CHECK(pulser.state() == NO_COMMAND);
  uint32_t id = 0;
  const uint16_t widths[] = {1, 2, 400, 60000};
  for (uint16_t ms : widths) {
    for (bool raise : {true, false}) {
      CHECK(pulser.command(++id, raise, ms) == PULSING);
      CHECK(width(pulser, raise) == ms);
      CHECK(pulser.state() == DONE);
      CHECK(pulser.id() == id);
      rest(pulser);
    }
  }
}

TEST_CASE("pulse: the outputs change in a tick only, and the end is told once") {
  Pulser pulser;
  pulser.command(1, true, 1);
  CHECK_FALSE(pulser.raising());
  CHECK_FALSE(pulser.tick());
  CHECK(pulser.raising());
  CHECK(pulser.tick());
  CHECK_FALSE(pulser.raising());
  CHECK_FALSE(pulser.tick());
}

TEST_CASE("pulse: no width is refused") {
  Pulser pulser;
  CHECK(pulser.command(1, true, 0) == REFUSED);
  CHECK(width(pulser, true) == 0);
}

TEST_CASE("pulse: a command sent again is answered, not obeyed again") {
  Pulser pulser;
  pulser.command(7, true, 10);
  CHECK(pulser.command(7, true, 10) == PULSING);
  CHECK(width(pulser, true) == 10);
  CHECK(pulser.command(7, true, 10) == DONE);
  CHECK(pulser.command(7, false, 500) == DONE);
  CHECK(width(pulser, true) == 0);
}

TEST_CASE("pulse: the other direction waits for the end and the rest") {
  Pulser pulser;
  pulser.command(1, true, 5);
  pulser.tick();
  CHECK(pulser.command(2, false, 5) == REFUSED);
  CHECK(pulser.command(2, false, 5) == REFUSED);  // the same again
  CHECK(pulser.raising());
  CHECK(width(pulser, true) == 4);  // the pulse goes on …
  CHECK(pulser.state() == REFUSED);  // … and what is told is the newest command's fate
  CHECK(pulser.id() == 2);
  for (int tick = 0; tick < REST_MS; ++tick) {
    CHECK(pulser.command(static_cast<uint32_t>(10 + tick), false, 5) == REFUSED);
    pulser.tick();
  }
  CHECK(pulser.command(3, false, 5) == PULSING);
  CHECK(width(pulser, false) == 5);
}

TEST_CASE("pulse: a pulse sent again after another was refused is still the same") {
  Pulser pulser;
  pulser.command(1, true, 5);
  pulser.command(2, false, 5);
  CHECK(pulser.command(1, true, 5) == PULSING);
  CHECK(pulser.id() == 1);
  CHECK(width(pulser, true) == 5);
  CHECK(pulser.state() == DONE);
  pulser.command(3, false, 5);  // still resting
  CHECK(pulser.command(1, true, 5) == DONE);
  CHECK(width(pulser, true) == 0);
}

TEST_CASE("pulse: the same direction replaces what is left, without a gap") {
  Pulser pulser;
  pulser.command(1, false, 1000);
  for (int tick = 0; tick < 10; ++tick) pulser.tick();
  CHECK(pulser.command(2, false, 3) == PULSING);
  CHECK(pulser.lowering());
  CHECK(width(pulser, false) == 2);  // the third tick ends it
  CHECK(pulser.state() == DONE);
  CHECK(pulser.command(3, false, 4) == PULSING);  // while the relay rests
  CHECK(width(pulser, false) == 4);
}

namespace {

// What the outputs must do, told by the time their pulses end instead of counters.
struct Expected {
  long now = 0;
  bool raise = false;
  bool waits = false;      // accepted, not on yet
  long width = 0;
  long ends = -1;          // on until this tick; -1 if off
  long free_from = 0;      // the other direction may come
  uint32_t newest = 0, obeyed = 0;
  PulseState state = NO_COMMAND;
  int refused = 0;

  bool busy() const { return waits || ends >= 0; }

  PulseState command(uint32_t id, bool up, uint16_t ms) {
    if (id == newest) return state;
    newest = id;
    if (id == obeyed) return state = busy() ? PULSING : DONE;
    if (up != raise && (busy() || now < free_from)) {
      ++refused;
      return state = REFUSED;
    }
    obeyed = id;
    raise = up;
    if (ends >= 0) {
      ends = now + ms;
    } else {
      waits = true;
      width = ms;
    }
    return state = PULSING;
  }

  bool tick() {
    ++now;
    if (waits) {
      waits = false;
      ends = now + width;
    } else if (ends == now) {
      ends = -1;
      free_from = now + REST_MS;
      if (state == PULSING) {
        state = DONE;
        return true;
      }
    }
    return false;
  }
};

}  // namespace

TEST_CASE("pulse: any sequence of commands and ticks") {
  std::mt19937 random(3);
  int refused = 0, refused_expected = 0, pulses = 0;
  for (int round = 0; round < 300; ++round) {
    Pulser pulser;
    Expected expected;
    long last_raised = -1000, last_lowered = -1000;
    for (int step = 0; step < 3000; ++step) {
      if (random() % 12 == 0) {
        const uint32_t id = static_cast<uint32_t>(1 + random() % 6);  // so few that many come again
        const bool raise = random() % 2 == 0;
        const uint16_t ms = static_cast<uint16_t>(1 + random() % 40);
        const PulseState before = expected.state;
        const uint32_t id_before = expected.newest;
        const PulseState told = pulser.command(id, raise, ms);
        REQUIRE(told == expected.command(id, raise, ms));
        if (told == REFUSED && !(before == REFUSED && id == id_before)) ++refused;
      } else {
        REQUIRE(pulser.tick() == expected.tick());
      }
      const bool on = expected.ends >= 0;
      REQUIRE(pulser.raising() == (on && expected.raise));
      REQUIRE(pulser.lowering() == (on && !expected.raise));
      REQUIRE_FALSE((pulser.raising() && pulser.lowering()));
      if (pulser.raising()) last_raised = expected.now;
      if (pulser.lowering()) last_lowered = expected.now;
      if (pulser.raising()) REQUIRE(expected.now - last_lowered > REST_MS);
      if (pulser.lowering()) REQUIRE(expected.now - last_raised > REST_MS);
      REQUIRE(pulser.state() == expected.state);
      REQUIRE(pulser.id() == expected.newest);
      pulses += expected.state == DONE && expected.ends == -1 ? 1 : 0;
    }
    refused_expected += expected.refused;
  }
  CHECK(refused == refused_expected);
  CHECK(refused > 1000);
  CHECK(pulses > 1000);
}
