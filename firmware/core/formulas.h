// Equations 4.4.1-4.4.5, with what is printed wrong as constants that can be given their printed values.
#pragma once

#include <stdint.h>

namespace meter {

const float ADC_FULL_SCALE = 1023.0f;
const float RIGHT_PI = 3.14159265f;
const float HALF_TURN_DEG = 180.0f;  // printed: 181.8

// One analogue input, from its pin back to the mains (4.4.1, 4.4.2).
struct FrontEnd {
  float divider;       // (R1 + R2) / R1
  float ratio;         // of the transformer; amperes per volt for a current
  float diode_drop_v;  // of both diodes of a bridge; 0 for an active rectifier
  float peak_to_rms;
};

// Dividers that end at 277 V and 20.1 A with active rectifiers. (Behind a bridge, 4.0 and 5.405 do the same,
// with its drop; the printed 3.425 ends at 240 V, below a legal 253 V.) One set serves both profiles.
const FrontEnd VOLTAGE_FRONT_END = {4.28f, 220.0f / 12.0f, 0.0f, 0.70710678f};
const FrontEnd CURRENT_FRONT_END = {5.685f, 1.0f, 0.0f, 0.70710678f};

// RMS volts or amperes from a mean of ADC counts. `supply_v` is what the full scale stands for (printed:
// 5.0). No counts are no volts: a diode's drop is added only where it was lost.
float rms(const FrontEnd& front_end, float counts, float supply_v);

// The supply in V, from the mean counts of the bandgap reference of `bandgap_v` (1.1 V nominally); 0 for none
// of them.
float supply_v(float bandgap_counts, float bandgap_v);

// Hz from the time high and low of one period in µs (4.4.3); 0 for no period.
float frequency_hz(float high_us, float low_us);

// Degrees between voltage and current, 0 … 180, from the XOR's duty cycle 0 … 1 (4.4.4).
float angle_deg(float duty, float half_turn_deg = HALF_TURN_DEG);

// cos φ (4.4.4).
float power_factor(float angle_deg, float pi = RIGHT_PI);

struct Power {
  float active_w;      // positive into the micro-grid
  float reactive_var;  // of the same sign where the current lags, counted in the direction of the power
  float apparent_va;
};

// Of one phase (4.4.5). The angle is signed, -180 … 180, positive where the current lags the voltage.
Power power(float voltage_v, float current_a, float angle_deg);

}  // namespace meter
