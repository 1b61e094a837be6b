// Equations 4.4.1-4.4.5: as they are printed, and as they are right.
#include <doctest/doctest.h>
#include <math.h>

#include "../core/formulas.h"

using namespace meter;

namespace {

const FrontEnd PRINTED_VOLTAGE = {3.425f, 18.333f, 1.4f, 0.707f};
const FrontEnd PRINTED_CURRENT = {5.405f, 1.0f, 1.4f, 0.707f};
const float PRINTED_SUPPLY_V = 5.0f;
const float PRINTED_HALF_TURN_DEG = 181.8f;
const float PRINTED_PI = 3.14f;

doctest::Approx about(double value) { return doctest::Approx(value).epsilon(1e-6); }

}  // namespace

TEST_CASE("4.4.1 and 4.4.2 as printed give the printed values") {
  const struct {
    float counts;
    double voltage_v, current_a;
  } rows[] = {
      {512, 129.2367433882698, 10.55247605083089},
      {930, 219.93191783181817, 18.359504545454545},
      {1014, 238.15774236114365, 19.928381085043988},
      {1023, 240.11050927499994, 20.096474999999998},
  };
  for (const auto& row : rows) {
    CHECK(rms(PRINTED_VOLTAGE, row.counts, PRINTED_SUPPLY_V) == about(row.voltage_v));
    CHECK(rms(PRINTED_CURRENT, row.counts, PRINTED_SUPPLY_V) == about(row.current_a));
  }
}

TEST_CASE("No counts are no volts: the printed 18 V and 0.99 A of an idle input must not be") {
  CHECK(rms(PRINTED_VOLTAGE, 0, PRINTED_SUPPLY_V) == 0.0f);
  CHECK(rms(PRINTED_CURRENT, 0, PRINTED_SUPPLY_V) == 0.0f);
  CHECK(rms(VOLTAGE_FRONT_END, -1, PRINTED_SUPPLY_V) == 0.0f);
  CHECK(rms(VOLTAGE_FRONT_END, NAN, PRINTED_SUPPLY_V) == 0.0f);
  // What is dead below a bridge's drop comes back with it.
  CHECK(rms(PRINTED_VOLTAGE, 0.001f, PRINTED_SUPPLY_V) == doctest::Approx(18.146).epsilon(1e-4));
}

TEST_CASE("The dividers end above what is legal, also at a supply that is low") {
  CHECK(rms(VOLTAGE_FRONT_END, 1022, 4.9f) > 270.0f);
  CHECK(rms(CURRENT_FRONT_END, 1022, 4.9f) > 19.0f);
  CHECK(rms(VOLTAGE_FRONT_END, 1023, 5.0f) == doctest::Approx(5 * 4.28 * 220 / 12 * sqrt(0.5)).epsilon(1e-6));
  CHECK(rms(CURRENT_FRONT_END, 1023, 5.0f) == doctest::Approx(5 * 5.685 * sqrt(0.5)).epsilon(1e-6));
  // A bridge's drop is added to what is measured: the same counts, more volts.
  FrontEnd bridge = VOLTAGE_FRONT_END;
  bridge.diode_drop_v = 1.4f;
  const float more_v = rms(bridge, 512, 5.0f) - rms(VOLTAGE_FRONT_END, 512, 5.0f);
  CHECK(more_v == doctest::Approx(1.4 * 220 / 12 * sqrt(0.5)).epsilon(1e-5));
}

TEST_CASE("The supply follows from the bandgap, and the reading from the supply") {
  CHECK(supply_v(1.1f / 5.0f * 1023.0f, 1.1f) == about(5.0));
  CHECK(supply_v(1.1f / 4.5f * 1023.0f, 1.1f) == about(4.5));
  CHECK(supply_v(0, 1.1f) == 0.0f);
  // The same input at another supply: other counts, the same volts.
  const float at_5v = rms(VOLTAGE_FRONT_END, 800, 5.0f);
  CHECK(rms(VOLTAGE_FRONT_END, 800 * 5.0f / 4.6f, 4.6f) == about(at_5v));
}

TEST_CASE("4.4.3: frequency is the inverse of the period") {
  CHECK(frequency_hz(10000, 10000) == about(50.0));
  CHECK(frequency_hz(5000, 11666.667f) == about(60.0));
  CHECK(frequency_hz(0, 0) == 0.0f);
}

TEST_CASE("4.4.4: duty cycle to angle and power factor, printed and right") {
  const struct {
    float duty;
    double printed_deg, printed_pf, right_pf;
  } rows[] = {
      {0.0f, 0.0, 1.0, 1.0},
      {0.25f, 45.45, 0.7018179530766675, 0.7071067811865476},
      {0.5f, 90.9, -0.014903121478553216, 0.0},
      {0.88f, 159.984, -0.939111614666718, -0.9297764858882513},
      {1.0f, 181.8, -0.999555793940391, -1.0},
  };
  for (const auto& row : rows) {
    const float printed = angle_deg(row.duty, PRINTED_HALF_TURN_DEG);
    CHECK(printed == about(row.printed_deg));
    CHECK(fabs(static_cast<double>(power_factor(printed, PRINTED_PI)) - row.printed_pf) < 1e-6);
    CHECK(fabs(static_cast<double>(power_factor(angle_deg(row.duty))) - row.right_pf) < 1e-6);
  }
}

TEST_CASE("4.4.5: active, reactive and apparent power") {
  const Power lagging = power(220, 10, 36.86989765f);  // cos φ = 0.8
  CHECK(lagging.active_w == about(1760));
  CHECK(lagging.apparent_va == about(2200));
  CHECK(lagging.reactive_var == about(1320));

  const Power leading = power(220, 10, -36.86989765f);
  CHECK(leading.active_w == about(1760));
  CHECK(leading.reactive_var == about(-1320));

  const Power taken = power(220, 10, -143.13010235f);  // the current turned around: a coil that takes power
  CHECK(taken.active_w == about(-1760));
  CHECK(taken.reactive_var == about(-1320));
}
