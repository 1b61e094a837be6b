// Squares are made from angles, looked at as an interrupt does, and turned back into angles.
#include <doctest/doctest.h>
#include <math.h>
#include <stdint.h>

#include <algorithm>
#include <random>
#include <vector>

#include "../core/phase_angle.h"
#include "../core/signals.h"

using namespace meter;

namespace {

struct Turn {
  double at_us;
  bool current;  // else the voltage
};

struct Scene {
  double hz = 50;
  double angle_deg = 0;     // positive: the current lags
  double jitter_us = 0;     // of each comparator
  double latency_us = 0;    // at most, from an edge to the look at the pins
  double duration_us = 98000;
  double begin_us = 3000;   // within a period
  uint32_t first_tick = 1000;
  int chatter = 0;          // more pairs of edges, 3 µs apart
  double voltage_offset_us = 0;  // by which its rising edges are late and its falling ones early

  // The comparators' turns, from well before the beginning.
  std::vector<Turn> turns(std::mt19937& random) const {
    std::uniform_real_distribution<double> jitter(0, jitter_us);
    const double half_us = 0.5e6 / hz;
    const double lag_us = angle_deg / 180 * half_us;
    std::vector<Turn> turns;
    for (int i = -4; (i - 4) * half_us < begin_us + duration_us; ++i) {
      const double offset_us = i % 2 == 0 ? voltage_offset_us : -voltage_offset_us;
      const double voltage_us = i * half_us + offset_us + jitter(random);
      const double current_us = i * half_us + lag_us + jitter(random);
      for (int j = 0; j <= 2 * chatter; ++j) {
        turns.push_back(Turn{voltage_us + 3 * j, false});
        turns.push_back(Turn{current_us + 3 * j, true});
      }
    }
    std::sort(turns.begin(), turns.end(), [](const Turn& a, const Turn& b) { return a.at_us < b.at_us; });
    return turns;
  }

  void watch(PhaseAngle& phase, std::mt19937& random) const {
    std::uniform_real_distribution<double> latency(0, latency_us);
    const std::vector<Turn> all = turns(random);
    bool voltage = false, current = false;
    for (size_t i = 0; i < all.size();) {
      const double look_us = all[i].at_us + latency(random);
      do {  // an interrupt sees what has turned until it looks
        (all[i].current ? current : voltage) ^= true;
        ++i;
      } while (i < all.size() && all[i].at_us <= look_us);
      if (look_us < begin_us || look_us > begin_us + duration_us) continue;
      const uint32_t look = static_cast<uint32_t>(static_cast<int64_t>(look_us * 2));
      phase.edge(first_tick + look, voltage, voltage != current);
    }
  }

  double read(unsigned seed = 0) const {
    std::mt19937 random(seed);
    PhaseAngle phase;
    watch(phase, random);
    return static_cast<double>(phase.degrees());
  }
};

double off(double read, double truth) {
  const double error = fabs(read - truth);
  return std::min(error, 360 - error);
}

}  // namespace

TEST_CASE("Every whole degree, without noise, exactly") {
  for (int degrees = -180; degrees <= 180; ++degrees) {
    Scene scene;
    scene.angle_deg = degrees;
    CAPTURE(degrees);
    CHECK(off(scene.read(), degrees) < 0.02);
  }
}

TEST_CASE("Within 0.3 degrees, lag and lead told apart, at 45-65 Hz with jitter and a late look") {
  for (double hz : {45.0, 48.7, 50.0, 60.0, 65.0}) {
    for (int degrees = -180; degrees <= 180; ++degrees) {
      Scene scene;
      scene.hz = hz;
      scene.angle_deg = degrees;
      scene.jitter_us = 10;
      scene.latency_us = 20;
      scene.begin_us = 137.0 * (degrees + 180) + 40;
      scene.first_tick = 4294967295u - 100000u;  // the ticks wrap meanwhile
      const double read = scene.read(static_cast<unsigned>(degrees + 180));
      CAPTURE(hz);
      CAPTURE(degrees);
      if (abs(degrees) >= 3 && abs(degrees) <= 177) {
        CHECK(fabs(read - degrees) <= 0.3);
      } else {
        CHECK(fabs(fabs(read) - abs(degrees)) <= 0.6);  // the two edges may fall into one look
      }
    }
  }
}

TEST_CASE("It does not matter where in the period the slot begins") {
  for (double begin_us = 0; begin_us < 40000; begin_us += 171) {
    for (double degrees : {-120.0, -30.0, 0.0, 4.0, 88.0, 176.0, 180.0}) {
      Scene scene;
      scene.angle_deg = degrees;
      scene.begin_us = begin_us;
      CHECK(off(scene.read(), degrees) < 0.03);
    }
  }
}

TEST_CASE("Comparators that chatter change neither angle nor side") {
  for (int degrees = -176; degrees <= 176; degrees += 4) {
    if (degrees == 0) continue;
    Scene scene;
    scene.angle_deg = degrees;
    scene.chatter = 3;
    scene.jitter_us = 2;
    scene.latency_us = 8;
    CAPTURE(degrees);
    CHECK(off(scene.read(), degrees) < 0.3);
  }
}

TEST_CASE("A comparator's offset shortens one half period as it lengthens the other") {
  for (int degrees : {-170, -90, -10, 10, 90, 170}) {
    Scene scene;
    scene.angle_deg = degrees;
    scene.voltage_offset_us = 100;
    CHECK(off(scene.read(), degrees) < 0.05);
  }
}

TEST_CASE("Without an edge of the XOR it is 0 or 180") {
  for (bool differs : {false, true}) {
    PhaseAngle phase;
    bool voltage = false;
    for (uint32_t at = 0; at < 200000; at += 20000) phase.edge(at, voltage = !voltage, differs);
    CHECK(phase.known());
    CHECK(phase.degrees() == (differs ? 180.0f : 0.0f));
  }
}

TEST_CASE("Less than a whole period is not known") {
  PhaseAngle phase;
  CHECK_FALSE(phase.known());
  CHECK(phase.degrees() == 0.0f);
  phase.edge(0, true, true);  // that it rose just now, nobody knows
  phase.edge(20000, false, true);
  phase.edge(40000, true, true);
  phase.edge(60000, false, true);
  CHECK_FALSE(phase.known());
  phase.edge(80000, true, true);
  CHECK(phase.known());
}

TEST_CASE("A current without voltage is not known") {
  PhaseAngle phase;
  for (uint32_t at = 0; at < 200000; at += 20000) phase.edge(at, true, at % 40000 == 0);
  CHECK_FALSE(phase.known());
}

TEST_CASE("After a restart nothing of before counts") {
  for (double begin_us : {100.0, 4000.0, 11000.0, 17000.0}) {
    Scene before, after;
    before.angle_deg = 170;
    after.angle_deg = -20;
    after.begin_us = begin_us;
    after.first_tick = 3000000000u;
    std::mt19937 random(1);
    PhaseAngle phase;
    before.watch(phase, random);
    phase.restart();
    CHECK_FALSE(phase.known());
    after.watch(phase, random);
    CHECK(off(static_cast<double>(phase.degrees()), -20) < 0.03);
  }
}

TEST_CASE("To be told of another phase's edges changes nothing") {
  PhaseAngle told, spared;
  bool voltage = false;
  for (uint32_t at = 0; at < 400000; at += 20000) {
    voltage = !voltage;
    for (uint32_t later = 0; later < 20000; later += 500) {
      told.edge(at + later, voltage, later < 3000);
      if (later == 0 || later == 3000) spared.edge(at + later, voltage, later < 3000);
    }
  }
  CHECK(told.degrees() == spared.degrees());
  CHECK(told.degrees() == doctest::Approx(27));
}
