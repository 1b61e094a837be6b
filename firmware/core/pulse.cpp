#include "pulse.h"

namespace meter {

PulseState Pulser::command(uint32_t id, bool raise, uint16_t width_ms) {
  if (id == id_) return state_;
  id_ = id;
  if (id == pulse_id_) {
    // Sent again after another was refused: back to the fate of this one.
    state_ = left_ms_ > 0 ? PULSING : DONE;
    return state_;
  }
  const bool other_runs = (left_ms_ > 0 || rest_ms_ > 0) && raise != raise_;
  if (other_runs || width_ms == 0) {
    state_ = REFUSED;
    return state_;
  }
  pulse_id_ = id;
  raise_ = raise;
  left_ms_ = width_ms;
  rest_ms_ = 0;
  state_ = PULSING;
  return state_;
}

bool Pulser::tick() {
  if (left_ms_ == 0) {
    if (rest_ms_ > 0) --rest_ms_;
    return false;
  }
  if (!on_) {
    on_ = true;
    return false;
  }
  if (--left_ms_ > 0) return false;
  on_ = false;
  rest_ms_ = REST_MS;
  if (state_ != PULSING) return false;  // a newer command was refused meanwhile, and that stands
  state_ = DONE;
  return true;
}

}  // namespace meter
