#include "frequency.h"

#include "formulas.h"
#include "signals.h"

namespace meter {

namespace {

const uint16_t SHORTEST_TICKS = static_cast<uint16_t>(TICKS_PER_SECOND / HIGHEST_HZ);
const uint16_t LONGEST_TICKS = static_cast<uint16_t>(TICKS_PER_SECOND / LOWEST_HZ);
const uint8_t MOST_CHANGE = 64;  // a part of the period: 40 Hz a second, which no generator swings
const float US_PER_TICK = 1.0e6f / TICKS_PER_SECOND;

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
  const float period_us = static_cast<float>(ticks_) * US_PER_TICK / static_cast<float>(periods_);
  const float nominal = frequency_hz(period_us, 0.0f);  // from rising edge to rising edge it is one piece
  return nominal + nominal * (static_cast<float>(clock_ppm) * 1.0e-6f);
}

}  // namespace meter
