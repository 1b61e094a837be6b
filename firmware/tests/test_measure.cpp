// A house is made into counts and edges, and measured again.
#include <doctest/doctest.h>

#include "measure_bench.h"

using namespace bench;

namespace {

doctest::Approx about(double value, double relative = 2e-3) {
  return doctest::Approx(value).epsilon(relative);
}

void check_dead(const PhaseReading& phase) {
  CHECK(phase.power_factor == 0.0f);
  CHECK_FALSE(phase.leading);
  CHECK_FALSE(phase.exporting);
}

}  // namespace

TEST_CASE("Volts, amperes, power factor and power of a second") {
  Bench bench;
  bench.voltage_v[1] = 190;
  bench.voltage_v[2] = 250;
  bench.load[TIE][0] = Load{10, 30};
  bench.load[TIE][1] = Load{2, -60};
  bench.load[TIE][2] = Load{0.5, 0};
  bench.all(GENERATOR, 5, 20);
  const Reading reading = bench.second();
  const double voltage_v[] = {230, 190, 250}, current_a[] = {10, 2, 0.5};
  const double factor[] = {cos(M_PI / 6), 0.5, 1};
  for (uint8_t phase = 0; phase < PHASES; ++phase) {
    CHECK(reading.phase[phase].voltage_v == about(voltage_v[phase]));
    CHECK(reading.phase[phase].current_a == about(current_a[phase], 4e-3));
    CHECK(reading.phase[phase].power_factor == about(factor[phase], 5e-3));
    CHECK(reading.phase[phase].exporting);
  }
  CHECK(reading.exchange.active_w == about(2300 * factor[0] + 190 + 125, 4e-3));
  CHECK(reading.exchange.reactive_var == about(1150 - 380 * sqrt(0.75), 6e-3));
  CHECK(reading.exchange.apparent_va == about(2300 + 380 + 125, 4e-3));
  CHECK(reading.generator.active_w == about(5 * 670 * cos(M_PI / 9), 4e-3));
  CHECK(reading.generator.reactive_var == about(5 * 670 * sin(M_PI / 9), 8e-3));
  CHECK(reading.frequency_hz == about(50, 1e-4));
  CHECK(reading.flags == 0);
}

TEST_CASE("30-270 V and 0.1-19 A read the same at any supply") {
  for (double supply_v : {4.9, 5.0, 5.12}) {
    for (double part = 0; part <= 1; part += 0.1) {
      Bench bench;
      bench.supply_v = supply_v;
      const double voltage_v = 30 + 240 * part, current_a = 0.1 + 18.9 * part;
      for (double& one : bench.voltage_v) one = voltage_v;
      bench.all(TIE, current_a, 40);
      const Reading reading = bench.second();
      CAPTURE(supply_v);
      CAPTURE(voltage_v);
      CHECK(fabs(static_cast<double>(reading.phase[1].voltage_v) - voltage_v) < 0.002 * voltage_v + 0.02);
      CHECK(fabs(static_cast<double>(reading.phase[1].current_a) - current_a) < 0.002 * current_a + 0.002);
      CHECK(reading.flags == 0);
    }
  }
}

TEST_CASE("Zero input reads exactly zero, whatever the noise and the offsets") {
  Bench bench;
  for (double& one : bench.voltage_v) one = 0;
  for (int item = 0; item < ITEMS; ++item) {
    if (item >= VOLTAGE_OFFSET && item < CURRENT_GAIN) bench.calibration.set(static_cast<Item>(item), 20000);
    if (item >= CURRENT_OFFSET && item < CURRENT_ANGLE) bench.calibration.set(static_cast<Item>(item), 1000);
  }
  for (double noise : {0.0, 1.0, 1.6}) {
    bench.noise_counts = noise;
    const Reading reading = bench.second();
    for (const PhaseReading& phase : reading.phase) {
      CHECK(phase.voltage_v == 0.0f);
      CHECK(phase.current_a == 0.0f);
      check_dead(phase);
    }
    CHECK(reading.frequency_hz == 0.0f);
    CHECK(reading.exchange.active_w == 0.0f);
    CHECK(reading.exchange.reactive_var == 0.0f);
    CHECK(reading.generator.apparent_va == 0.0f);
    CHECK(reading.flags == 0);
  }
  CHECK(bench.energy.counters().export_ws == 0);
  CHECK(bench.energy.counters().import_ws == 0);
}

TEST_CASE("Nominal channels cut their noise off at 5 V and 20 mA") {
  Bench bench;
  for (double& one : bench.voltage_v) one = 4.5;
  bench.all(TIE, 0.017, 0);
  Reading reading = bench.second();
  CHECK(reading.phase[0].voltage_v == 0.0f);
  CHECK(reading.phase[0].current_a == 0.0f);
  for (double& one : bench.voltage_v) one = 6;
  bench.all(TIE, 0.05, 0);
  reading = bench.second();
  CHECK(fabs(static_cast<double>(reading.phase[0].voltage_v) - 6) < 0.1);
  CHECK(fabs(static_cast<double>(reading.phase[0].current_a) - 0.05) < 0.005);
}

TEST_CASE("A phase without current, without voltage or without squares is 0.000LI") {
  Bench bench;
  bench.all(TIE, 5, 30);
  bench.load[TIE][1].current_a = 0;
  bench.voltage_v[2] = 0;
  Reading reading = bench.second();
  CHECK(reading.phase[0].exporting);
  check_dead(reading.phase[1]);
  check_dead(reading.phase[2]);
  CHECK(reading.phase[1].voltage_v == about(230));
  CHECK(reading.phase[2].current_a == about(5, 4e-3));

  Bench silent;
  silent.all(TIE, 5, 30);
  silent.edges = false;
  reading = silent.second();
  check_dead(reading.phase[0]);
  CHECK(reading.phase[0].current_a == about(5, 4e-3));
  CHECK(reading.frequency_hz == 0.0f);
  CHECK(silent.energy.counters().export_ws == 0);
}

TEST_CASE("Letters tell direction, and lag or lead in that direction") {
  for (int degrees = -179; degrees < 180; degrees += 2) {
    if (abs(abs(degrees) - 90) < 3) continue;
    Bench bench;
    bench.all(TIE, 6, degrees);
    const PhaseReading phase = bench.second().phase[2];
    const bool exports = abs(degrees) < 90;
    const double cosine = fabs(cos(degrees * M_PI / 180));
    CAPTURE(degrees);
    CHECK(phase.exporting == exports);
    CHECK(fabs(static_cast<double>(phase.power_factor) - cosine) < 0.005);
    if (abs(degrees) >= 3 && abs(degrees) <= 177) CHECK(phase.leading == ((degrees > 0) != exports));
  }
}

TEST_CASE("Within 2 degrees of a right angle the direction holds, and nothing is counted against it") {
  Bench bench;
  const struct {
    double lag_deg;
    bool exporting;
  } way[] = {{80, true}, {89, true}, {91, true}, {95, false}, {91, false}, {89, false}, {85, true}};
  for (const auto& step : way) {
    bench.all(TIE, 10, step.lag_deg);
    const Counters before = bench.energy.counters();
    const Reading reading = bench.second();
    const Counters after = bench.energy.counters();
    CAPTURE(step.lag_deg);
    CHECK(reading.phase[0].exporting == step.exporting);
    CHECK_FALSE((step.exporting ? reading.exchange.active_w < 0 : reading.exchange.active_w > 0));
    CHECK((step.exporting ? after.import_ws - before.import_ws : after.export_ws - before.export_ws) == 0);
  }
}

TEST_CASE("The side's directions hold apart from each other") {
  Bench bench;
  bench.all(TIE, 10, 180);
  bench.all(GENERATOR, 10, 0);
  bench.second();
  bench.all(TIE, 10, 89);
  bench.all(GENERATOR, 10, 91);
  const Reading reading = bench.second();
  CHECK_FALSE(reading.phase[0].exporting);
  CHECK(reading.generator.active_w == 0.0f);
}

TEST_CASE("Energy goes by the sum over the phases, both sides for their own time") {
  Bench bench;
  bench.load[TIE][0] = Load{8, 0};
  bench.load[TIE][1] = Load{3, 180};
  bench.load[TIE][2] = Load{2, 0};
  bench.all(GENERATOR, 4, 0);
  for (int i = 0; i < 10; ++i) bench.second();
  CHECK(bench.energy.counters().export_ws == about(230 * 7 * 10, 4e-3));
  CHECK(bench.energy.counters().import_ws == 0);
  CHECK(bench.energy.counters().generation_ws == about(230 * 12 * 10, 4e-3));

  bench.load[TIE][1].current_a = 13;
  const uint32_t exported = bench.energy.counters().export_ws;
  bench.second();
  CHECK(bench.energy.counters().export_ws == exported);
  CHECK(bench.energy.counters().import_ws == about(230 * 3, 8e-3));
}

TEST_CASE("A generator that takes power is flagged and generates nothing") {
  Bench bench;
  bench.all(GENERATOR, 1, 180);
  const Reading reading = bench.second();
  CHECK(reading.flags == REVERSE_FLOW);
  CHECK(reading.generator.active_w == about(-690, 1e-2));
  CHECK(bench.energy.counters().generation_ws == 0);
  bench.all(GENERATOR, 0.026, 180);  // 18 W in all: it idles
  CHECK(bench.second().flags == 0);
  bench.all(GENERATOR, 0, 0);
  bench.all(TIE, 5, 180);  // import is nothing to flag
  CHECK(bench.second().flags == 0);
}

TEST_CASE("Two points correct a channel, and the angle's error is taken off") {
  Bench bench;
  bench.all(TIE, 10, 33);
  bench.all(GENERATOR, 10, 33);
  REQUIRE(bench.calibration.set(static_cast<Item>(VOLTAGE_GAIN + 1), 1100000));
  REQUIRE(bench.calibration.set(static_cast<Item>(VOLTAGE_OFFSET + 1), -3000));
  REQUIRE(bench.calibration.set(static_cast<Item>(CURRENT_GAIN + 1), 900000));
  REQUIRE(bench.calibration.set(static_cast<Item>(CURRENT_OFFSET + 1), 250));
  REQUIRE(bench.calibration.set(static_cast<Item>(CURRENT_ANGLE + 1), 3000));
  REQUIRE(bench.calibration.set(static_cast<Item>(CURRENT_GAIN + PHASES + 2), 500000));
  REQUIRE(bench.calibration.set(static_cast<Item>(CURRENT_ANGLE + PHASES + 2), -5000));
  const Reading reading = bench.second();
  CHECK(reading.phase[0].voltage_v == about(230));
  CHECK(reading.phase[1].voltage_v == about(250));
  CHECK(reading.phase[1].current_a == about(9.25));
  CHECK(reading.phase[1].power_factor == about(cos(M_PI / 6), 4e-3));
  CHECK(reading.phase[2].current_a == about(10));
  const double generator_w = 4800 * cos(33 * M_PI / 180) + 1150 * cos(38 * M_PI / 180);
  CHECK(reading.generator.active_w == about(generator_w, 5e-3));
}

TEST_CASE("An angle that is corrected beyond half a turn comes around") {
  Bench bench;
  bench.all(TIE, 10, -178);
  for (uint8_t phase = 0; phase < PHASES; ++phase) {
    REQUIRE(bench.calibration.set(static_cast<Item>(CURRENT_ANGLE + phase), 10000));
  }
  const Reading reading = bench.second();  // 172: the import leads
  CHECK(reading.phase[0].leading);
  CHECK_FALSE(reading.phase[0].exporting);
  CHECK(reading.phase[0].power_factor == about(cos(8 * M_PI / 180), 2e-3));
}

TEST_CASE("An ADC at its end is flagged, once") {
  Bench bench;
  bench.voltage_v[2] = 279;
  CHECK(bench.second().flags == VOLTAGE_SATURATED);
  bench.voltage_v[2] = 230;
  CHECK(bench.second().flags == 0);
  bench.all(TIE, 25, 0);
  CHECK(bench.second().flags == CURRENT_SATURATED);
  bench.all(TIE, 1, 0);
  bench.load[GENERATOR][1].current_a = 25;
  CHECK(bench.second().flags == CURRENT_SATURATED);
}

TEST_CASE("A supply that goes is seen at once, and what is read follows it") {
  Bench bench;
  bench.second();
  CHECK(bench.measure.supply() == about(5.0, 3e-3));
  bench.supply_v = 4.3;
  bench.slot();
  CHECK(bench.measure.supply() == about(4.3, 3e-3));
  const Reading reading = bench.second();
  CHECK(reading.flags == SUPPLY_LOW);
  CHECK(reading.phase[0].voltage_v == about(230));
  bench.supply_v = 5.0;
  CHECK(bench.second().flags == 0);
}

TEST_CASE("The bandgap's own error is calibrated") {
  Bench bench;
  bench.bandgap_v = 1.06;
  CHECK(bench.second().phase[0].voltage_v == about(230 * 1.1 / 1.06));
  REQUIRE(bench.calibration.set(BANDGAP_UV, 1060000));
  bench.second();
  CHECK(bench.second().phase[0].voltage_v == about(230));
}

TEST_CASE("One count of the bandgap, half a percent, does not show in one slot") {
  Bench bench;
  AdcSums sums = bench.sums();
  AdcSum& bandgap = sums.channel[BANDGAP_CHANNEL];
  float least = 1e9f, most = 0;
  for (int i = 0; i < 100; ++i) {
    bandgap.sum = bandgap.count * (i % 2 ? 225u : 226u);
    while (!bench.measure.end_slot(TIE, sums, 200, bench.energy)) {
    }
    Reading reading;
    bench.measure.end_second(reading);
    if (i < 50) continue;
    least = fminf(least, reading.phase[0].voltage_v);
    most = fmaxf(most, reading.phase[0].voltage_v);
  }
  CHECK(most - least < 0.001f * most);
}

TEST_CASE("Bridges: their drop is added, and below it there is nothing") {
  Bench bench;
  bench.drop_v = 1.4;
  REQUIRE(bench.calibration.set(DIODE_DROP_MV, 1400));
  bench.all(TIE, 5, 0);
  Reading reading = bench.second();
  CHECK(reading.phase[0].voltage_v == about(230));
  CHECK(reading.phase[0].current_a == about(5));
  bench.all(TIE, 0.9, 0);
  for (double& one : bench.voltage_v) one = 17;
  reading = bench.second();
  CHECK(reading.phase[0].voltage_v == 0.0f);
  CHECK(reading.phase[0].current_a == 0.0f);
}

TEST_CASE("A slot is ended in four steps, and no second ends between them") {
  Bench bench;
  bench.all(TIE, 10, 60);
  bench.squares();
  const AdcSums sums = bench.sums();
  Reading reading = {};
  for (int step = 0; step < 3; ++step) {
    CHECK_FALSE(bench.measure.end_slot(TIE, sums, 200, bench.energy));
    CHECK_FALSE(bench.measure.end_second(reading));
    CHECK(bench.energy.counters().export_ws == 0);
  }
  CHECK(reading.phase[0].voltage_v == 0.0f);
  CHECK(bench.measure.end_slot(TIE, sums, 200, bench.energy));
  CHECK(bench.measure.end_second(reading));
  CHECK(reading.phase[2].power_factor == about(0.5, 1e-2));
  CHECK(reading.exchange.active_w == about(3450, 1e-2));
  CHECK(bench.energy.counters().export_ws == about(0.2 * 3450, 1e-2));
}

TEST_CASE("A second without slots reads nothing, and divides by nothing") {
  Bench bench;
  Reading reading;
  CHECK(bench.measure.end_second(reading));
  CHECK(reading.phase[0].voltage_v == 0.0f);
  CHECK(reading.exchange.active_w == 0.0f);
  CHECK(reading.generator.apparent_va == 0.0f);
  AdcSums none = {};
  while (!bench.measure.end_slot(TIE, none, 200, bench.energy)) {
  }
  CHECK(bench.measure.end_second(reading));
  CHECK(reading.phase[0].voltage_v == 0.0f);
  CHECK(reading.flags == SUPPLY_LOW);
}
