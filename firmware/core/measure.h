// From ADC counts and edges to volts, amperes, watts and watt-seconds.
#pragma once

#include <stdint.h>

#include "calibration.h"
#include "energy.h"
#include "frequency.h"
#include "phase_angle.h"
#include "signals.h"

namespace meter {

// What the ADC's interrupt adds up for one slot: the time the multiplexer stays on one side.
struct AdcSum {
  uint32_t sum;
  uint16_t count;
  uint16_t peak;
};
struct AdcSums {
  AdcSum channel[CHANNELS];
};

// What a packet says of one phase.
struct PhaseReading {
  float voltage_v, current_a, power_factor;
  bool leading, exporting;
};

// What was measured in one second, as a packet says it.
struct Reading {
  PhaseReading phase[PHASES];
  float frequency_hz;
  Power generator, exchange;  // sums over the phases
  uint16_t flags;             // VOLTAGE_SATURATED, CURRENT_SATURATED, REVERSE_FLOW, SUPPLY_LOW
};

// Zero input reads exactly zero: below these a calibrated value is noise.
const float LEAST_VOLTAGE_V = 5.0f;
const float LEAST_CURRENT_A = 0.025f;
const uint16_t SATURATED_COUNTS = 1022;  // the ADC's end, less one for its noise
const float LOW_SUPPLY_V = 4.5f;
// A direction holds within 2° of a right angle (4.4.6; the printed 88 % is 160°).
const float DIRECTION_HYSTERESIS_DEG = 2.0f;

class Measure {
 public:
  explicit Measure(const Calibration& calibration);

  void edge(uint32_t at, Squares squares);
  void capture(uint32_t at) { frequency_.capture(at); }

  // The slot of `side` is over; what it measured stands for `covered_ms` (until the same side's next slot), and
  // is counted as energy. In steps, one phase a call, so that nobody waits long: call until it returns true.
  bool end_slot(Side side, const AdcSums& sums, uint16_t covered_ms, Energy& energy);

  // The multiplexer now shows the other side.
  void begin_slot();

  // The second is over: its reading, from all slots since the last call. In steps: until it returns true.
  bool end_second(Reading& reading);

  // Of the last slot.
  float supply() const { return supply_v_; }

 private:
  // by whoever writes it
};

}  // namespace meter
