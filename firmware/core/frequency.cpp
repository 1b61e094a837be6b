#include "frequency.h"

#include "formulas.h"
#include "signals.h"

namespace meter {

namespace {

const uint16_t SHORTEST_TICKS = static_cast<uint16_t>(TICKS_PER_SECOND / HIGHEST_HZ);
const uint16_t LONGEST_TICKS = static_cast<uint16_t>(TICKS_PER_SECOND / LOWEST_HZ);
const uint8_t MOST_CHANGE = 64;  // a part of the period: 40 Hz a second, which no generator swings
const int32_t PPM = 1000000;

}  // namespace

void Frequency::capture(uint32_t at) {
  const uint32_t elapsed = at - last_;
  if (last_known_ && elapsed < SHORTEST_TICKS) return;  // and the next period still begins at the edge before
  uint16_t period = 0;
  if (last_known_ && elapsed <= LONGEST_TICKS) {
    period = static_cast<uint16_t>(elapsed);
    const uint16_t change = period > before_ticks_ ? period - before_ticks_ : before_ticks_ - period;
    if (change < period / MOST_CHANGE) {
      ticks_ += period;
      ++periods_;
    }
  }
  before_ticks_ = period;
  last_ = at;
  last_known_ = true;
}

float Frequency::hertz(int32_t clock_ppm) const {
  if (silent()) return 0.0f;
  const float ticks_per_us = static_cast<float>(PPM + clock_ppm) * (TICKS_PER_SECOND * 1.0e-6f / PPM);
  const float period_us = static_cast<float>(ticks_) / (static_cast<float>(periods_) * ticks_per_us);
  return frequency_hz(period_us, 0.0f);  // from rising edge to rising edge it is one piece
}

}  // namespace meter
