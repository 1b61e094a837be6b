#include "formulas.h"

#include <math.h>

namespace meter {

float rms(const FrontEnd& front_end, float counts, float supply_v) {
  if (!(counts > 0.0f)) return 0.0f;
  const float dc_v = counts * (supply_v / ADC_FULL_SCALE) * front_end.divider;
  return front_end.ratio * ((dc_v + front_end.diode_drop_v) * front_end.peak_to_rms);
}

float supply_v(float bandgap_counts, float bandgap_v) {
  return bandgap_counts > 0.0f ? bandgap_v * ADC_FULL_SCALE / bandgap_counts : 0.0f;
}

float frequency_hz(float high_us, float low_us) {
  const float period_us = high_us + low_us;
  return period_us > 0.0f ? 1.0e6f / period_us : 0.0f;
}

float angle_deg(float duty, float half_turn_deg) { return duty * half_turn_deg; }

float power_factor(float angle_deg, float pi) { return cosf(angle_deg * pi / 180.0f); }

Power power(float voltage_v, float current_a, float angle_deg) {
  Power result;
  result.apparent_va = voltage_v * current_a;
  result.active_w = result.apparent_va * power_factor(angle_deg);
  // The printed root of S² - P² has no sign, and is mostly noise near P = S.
  result.reactive_var = result.apparent_va * sinf(angle_deg * RIGHT_PI / 180.0f);
  return result;
}

}  // namespace meter
