#include "phase_angle.h"

#include "formulas.h"

namespace meter {

void PhaseAngle::restart() {
  high_ticks_ = ticks_ = 0;
  whole_high_ticks_ = whole_ticks_ = 0;
  lag_votes_ = 0;
  any_ = begun_ = false;
}

void PhaseAngle::edge(uint32_t at, bool voltage, bool differs) {
  const bool turned = any_ && voltage != voltage_;
  const bool changed = any_ && differs != differs_;
  if (any_ && !turned && !changed) return;  // another phase's edge
  if (begun_) {
    const uint32_t elapsed = at - since_;
    ticks_ += elapsed;
    if (differs_) high_ticks_ += elapsed;
  }
  // The voltage made them differ, or the current made them equal: the current came after. Edges that chatter
  // vote back and forth, and leave the one vote of what they settle to.
  if (changed) lag_votes_ = static_cast<int16_t>(lag_votes_ + (turned == differs ? 1 : -1));
  if (turned && voltage) {
    begun_ = true;
    whole_ticks_ = ticks_;
    whole_high_ticks_ = high_ticks_;
  }
  since_ = at;
  voltage_ = voltage;
  differs_ = differs;
  any_ = true;
}

float PhaseAngle::degrees() const {
  if (!known()) return 0.0f;
  const float duty = static_cast<float>(whole_high_ticks_) / static_cast<float>(whole_ticks_);
  const float degrees = angle_deg(duty);
  return lag_votes_ < 0 ? -degrees : degrees;
}

}  // namespace meter
