#include <doctest/doctest.h>
#include <math.h>
#include <stdint.h>

#include <random>

#include "../core/frequency.h"
#include "../core/signals.h"

using namespace meter;

namespace {

// Rising edges of a mains of so many Hz, as a crystal that is fast by `ppm` stamps them.
struct Mains {
  double hz;
  double jitter_us;
  double ppm;
  uint32_t start;
  std::mt19937 random;

  explicit Mains(double f, double jitter = 0, double clock_ppm = 0, uint32_t first = 12345)
      : hz(f), jitter_us(jitter), ppm(clock_ppm), start(first), random(7) {}

  uint32_t edge(int number) {
    std::uniform_real_distribution<double> jitter(0, jitter_us);
    const double seconds = (number / hz + jitter(random) * 1e-6) * (1 + ppm * 1e-6);
    return start + static_cast<uint32_t>(static_cast<uint64_t>(seconds * TICKS_PER_SECOND));
  }
};

double second_of(Frequency& frequency, Mains& mains, int32_t clock_ppm = 0) {
  for (int i = 0; i <= static_cast<int>(mains.hz); ++i) frequency.capture(mains.edge(i));
  return static_cast<double>(frequency.hertz(clock_ppm));
}

}  // namespace

TEST_CASE("45 to 65 Hz within 0.005 Hz, over any wrap of the ticks") {
  for (double hz = 45; hz <= 65; hz += 0.37) {
    for (uint32_t start : {0u, 4294967295u - 1234567u, 4294967295u - 30000u}) {
      Mains mains(hz, 10, 0, start);
      Frequency frequency;
      CHECK(fabs(second_of(frequency, mains) - hz) < 0.005);
    }
  }
}

TEST_CASE("A crystal that is off is corrected") {
  for (double ppm : {-5000.0, -50.0, 30.0, 20000.0}) {
    Mains mains(50, 0, ppm);
    Frequency frequency;
    const double hz = second_of(frequency, mains, static_cast<int32_t>(ppm));
    CHECK(fabs(hz - 50.0) < 0.5e-6 * fabs(ppm) * 50 + 0.001);
  }
}

TEST_CASE("No edges, or one, are no frequency") {
  Frequency frequency;
  CHECK(frequency.hertz(0) == 0.0f);
  frequency.capture(1000);
  CHECK(frequency.hertz(0) == 0.0f);
  CHECK(frequency.silent());
}

TEST_CASE("The next second begins at the last edge of the one before") {
  Mains mains(50);
  Frequency frequency;
  for (int i = 0; i < 10; ++i) frequency.capture(mains.edge(i));
  frequency.restart();
  CHECK(frequency.silent());
  frequency.capture(mains.edge(10));
  CHECK(fabs(static_cast<double>(frequency.hertz(0)) - 50.0) < 0.005);
}

TEST_CASE("After silence an edge ends no period") {
  Mains mains(50);
  Frequency frequency;
  for (int i = 0; i < 10; ++i) frequency.capture(mains.edge(i));
  frequency.restart();
  frequency.silence();
  frequency.capture(mains.edge(10));
  CHECK(frequency.silent());
  for (int i = 11; i < 14; ++i) frequency.capture(mains.edge(i));
  CHECK(fabs(static_cast<double>(frequency.hertz(0)) - 50.0) < 0.005);
}

TEST_CASE("Lost edges, spikes anywhere in the period and chatter do not show") {
  for (double hz : {45.0, 50.0, 60.0, 65.0}) {
    for (double place = 0.02; place < 1; place += 0.02) {
      Mains mains(hz);
      Frequency frequency;
      for (int i = 0; i < static_cast<int>(hz); ++i) {
        if (i % 11 != 5) frequency.capture(mains.edge(i));
        if (i % 13 == 7) {
          const uint32_t period = mains.edge(i + 1) - mains.edge(i);
          frequency.capture(mains.edge(i) + static_cast<uint32_t>(place * period));
        }
      }
      CAPTURE(hz);
      CAPTURE(place);
      CHECK(fabs(static_cast<double>(frequency.hertz(0)) - hz) < 0.05);
    }
    Mains mains(hz);
    Frequency frequency;
    for (int i = 0; i < static_cast<int>(hz); ++i) {
      for (uint32_t chatter = 0; chatter < 5; ++chatter) frequency.capture(mains.edge(i) + 7 * chatter);
    }
    CHECK(fabs(static_cast<double>(frequency.hertz(0)) - hz) < 0.005);
  }
}

TEST_CASE("What no mains has is left out") {
  for (double hz : {1.0, 20.0, 39.0, 71.0, 400.0, 5000.0}) {
    Mains mains(hz);
    Frequency frequency;
    const double read = second_of(frequency, mains);
    CHECK((read == 0.0 || (read > 39.9 && read < 70.1)));
  }
}
