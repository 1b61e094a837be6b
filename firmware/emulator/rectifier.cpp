#include "rectifier.h"

#include <algorithm>
#include <cmath>

namespace emulator {
namespace {

// A small silicon diode: 0.6 V at 10 µA, 0.75 V at 0.5 mA. Two of them leave nothing of the peak of 0.99 A
// (1.4 V at the burden), as the source's bridge does.
constexpr double SATURATION_A = 2e-12;
constexpr double EMISSION_V = 1.5 * 0.02585;

}  // namespace

void Rectifier::build(Profile profile, const RectifierParts& parts, double step_s) {
  profile_ = profile;
  parts_ = parts;
  step_s_ = step_s;
  reached_ = parts.load_ohm / (parts.load_ohm + parts.source_ohm);
  discharging_ = std::exp(-step_s / (parts.load_ohm * parts.farad));
  charging_ = std::exp(-step_s / (parts.source_ohm * reached_ * parts.farad));
}

// Linear while it conducts and while it does not, so each step is exact.
double Rectifier::active(double input_v) const {
  const double rectified_v = std::max(0.0, std::fabs(input_v) + parts_.offset_v);
  if (rectified_v <= capacitor_v_) return capacitor_v_ * discharging_;
  const double goal_v = rectified_v * reached_;
  return goal_v + (capacitor_v_ - goal_v) * charging_;
}

// Backward Euler; the diodes' voltage by Newton from above, where the function is steep and concave.
double Rectifier::bridge(double input_v) const {
  const double drive_v = std::fabs(input_v) - capacitor_v_;
  if (drive_v < 0.2) return capacitor_v_ * discharging_;
  const double damping = 1 + step_s_ / (parts_.load_ohm * parts_.farad);
  const double inner_ohm = parts_.source_ohm + step_s_ / parts_.farad / damping;
  const double over_v = std::fabs(input_v) - capacitor_v_ / damping;
  double x = std::min(over_v / (2 * EMISSION_V), std::log1p(over_v / inner_ohm / SATURATION_A));
  for (int i = 0; i < 20; i++) {
    const double slope_a = SATURATION_A * std::exp(x);
    const double error_v = over_v - 2 * EMISSION_V * x - inner_ohm * (slope_a - SATURATION_A);
    const double change = error_v / (2 * EMISSION_V + inner_ohm * slope_a);
    x += change;
    if (std::fabs(change) < 1e-6) break;
  }
  const double current_a = SATURATION_A * std::expm1(x);
  return (capacitor_v_ + step_s_ * current_a / parts_.farad) / damping;
}

}  // namespace emulator
