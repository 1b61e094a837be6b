// The angle between voltage and current of one phase, from the edges of the voltage's square and the XOR.
#pragma once

#include <stdint.h>

namespace meter {

// Duty cycle and order of edges over whole periods of the voltage (4.4.4). An edge of the XOR together with
// one of the voltage is the voltage's doing, one alone the current's: who moved first tells lead from lag.
class PhaseAngle {
 public:
  PhaseAngle() : since_(0), voltage_(false), differs_(false) { restart(); }

  // Forget all; the next edge begins anew (the multiplexer was switched).
  void restart();

  // The two squares as they are since `at` (ticks of 2 MHz, wrapping). To be called on any change of either;
  // to call it without one does no harm. Good for half an hour without a restart.
  void edge(uint32_t at, bool voltage, bool differs);

  // Whether at least one whole period was seen.
  bool known() const { return whole_ticks_ > 0; }

  // Degrees, -180 … 180, positive where the current lags; 0 if not known.
  float degrees() const;

 private:
  uint32_t since_;              // the last edge
  uint32_t high_ticks_;         // of the XOR, since the first rising edge of the voltage
  uint32_t ticks_;              // since that edge
  uint32_t whole_high_ticks_;   // the same as they were at the last rising edge
  uint32_t whole_ticks_;
  int16_t lag_votes_;  // edges that say lag, less those that say lead
  bool voltage_, differs_;
  bool any_, begun_;
};

}  // namespace meter
