#include <doctest/doctest.h>
#include <math.h>
#include <stdint.h>

#include <random>

#include "../core/energy.h"

using namespace meter;

TEST_CASE("Export, import and generation have a counter each") {
  Energy energy;
  energy.exchanged(1000.0f, 2000);
  energy.exchanged(-500.0f, 2000);
  energy.generated(300.0f, 1000);
  CHECK(energy.counters().export_ws == 2000);
  CHECK(energy.counters().import_ws == 1000);
  CHECK(energy.counters().generation_ws == 300);
}

TEST_CASE("A generator that takes power generates nothing") {
  Energy energy;
  energy.generated(-5000.0f, 1000);
  energy.generated(NAN, 1000);
  CHECK(energy.counters().generation_ws == 0);
}

TEST_CASE("Small power adds up to whole watt-seconds") {
  Energy energy;
  for (int i = 0; i < 999; ++i) energy.exchanged(0.005f, 200);
  CHECK(energy.counters().export_ws == 0);
  energy.exchanged(0.005f, 200);
  CHECK(energy.counters().export_ws == 1);
  CHECK(energy.counters().import_ws == 0);
}

TEST_CASE("What is over in one direction stays in that direction") {
  Energy energy;
  for (int i = 0; i < 1000; ++i) {
    energy.exchanged(1.25f, 1);
    energy.exchanged(-2.5f, 1);
  }
  CHECK(energy.counters().export_ws == 1);
  CHECK(energy.counters().import_ws == 2);
}

TEST_CASE("The counters wrap at 2^32") {
  Energy energy;
  const Counters near_end = {4294967295u, 4294967290u, 4294967295u};
  energy.restore(near_end);
  energy.exchanged(-1.0f, 1000);
  energy.exchanged(10.0f, 1000);
  energy.generated(2.0f, 1000);
  CHECK(energy.counters().import_ws == 0);
  CHECK(energy.counters().export_ws == 4);
  CHECK(energy.counters().generation_ws == 1);
}

TEST_CASE("No power, however large, overflows a step") {
  Energy energy;
  energy.exchanged(1.0e30f, 65535);
  CHECK(energy.counters().export_ws == 250000);
  energy.exchanged(-INFINITY, 65535);
  CHECK(energy.counters().import_ws == 250000);
}

TEST_CASE("Any sequence of steps sums up to within 1 Ws a direction") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> power_w(-20000.0f, 20000.0f);
    std::uniform_int_distribution<int> duration_ms(1, 400);
    std::uniform_int_distribution<int> small(0, 3);
    Energy energy;
    double export_ws = 0, import_ws = 0, generation_ws = 0;
    for (int i = 0; i < 50000; ++i) {
      const float tie = small(random) == 0 ? power_w(random) / 10000.0f : power_w(random);
      const float generator = power_w(random);
      const uint16_t ms = static_cast<uint16_t>(duration_ms(random));
      energy.exchanged(tie, ms);
      energy.generated(generator, ms);
      (tie > 0 ? export_ws : import_ws) += fabs(static_cast<double>(tie)) * ms / 1000;
      if (generator > 0) generation_ws += static_cast<double>(generator) * ms / 1000;
    }
    CHECK(fabs(energy.counters().export_ws - floor(export_ws)) <= 1);
    CHECK(fabs(energy.counters().import_ws - floor(import_ws)) <= 1);
    CHECK(fabs(energy.counters().generation_ws - floor(generation_ws)) <= 1);
  }
}
