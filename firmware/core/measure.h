// From ADC counts and edges to volts, amperes, watts and watt-seconds.
#pragma once

#include <stdint.h>

#include "calibration.h"
#include "energy.h"
#include "formulas.h"
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
const float LEAST_CURRENT_A = 0.020f;
const uint16_t SATURATED_COUNTS = 1022;  // the ADC's end, less one for its noise
const float LOW_SUPPLY_V = 4.5f;
const float REVERSE_FLOW_W = 20.0f;  // of all phases; below it is a generator's idling
// A direction holds within 2° of a right angle (4.4.6; the printed 88 % is 160°).
const float DIRECTION_HYSTERESIS = 0.0348995f;  // sin 2°

class Measure {
 public:
  explicit Measure(const Calibration& calibration);

  void edge(uint32_t at, Squares squares);
  void capture(uint32_t at) { frequency_.capture(at); }

  // The slot of `side` is over; what it measured stands for `covered_ms` (until the same side's next slot),
  // and is counted as energy. In steps, one phase a call, so that nobody waits long: call until it returns
  // true, with the same arguments, and with no edges in between: they would be of the other side.
  bool end_slot(Side side, const AdcSums& sums, uint16_t covered_ms, Energy& energy);

  // Edges from now on are of the side that the multiplexer shows now.
  void begin_slot();

  // The second is over: its reading, from all slots since the last call. False, and nothing is done, while
  // the steps of a slot's end are not all done.
  bool end_second(Reading& reading);

  // Of the last slot.
  float supply() const { return supply_v_; }

 private:
  struct PhaseSums {
    float voltage_v, current_a;
    Power exchange;
  };
  struct Second {  // sums over the slots since it began
    PhaseSums phase[PHASES];
    Power generator;
    uint8_t slots[SIDES];
    uint16_t flags;
  };

  float calibrated(Item item, float unit) const;
  void measure_supply(const AdcSum& bandgap);
  void look_for_saturation(const AdcSums& sums);
  void end_phase(Side side, uint8_t phase, const AdcSums& sums);
  float channel(const FrontEnd& front, const AdcSum& adc, Item gain, Item offset, float least) const;
  Power directed_power(uint8_t place, const PhaseAngle& angle, float voltage_v, float current_a);
  void read_phase(uint8_t phase, PhaseReading& reading) const;

  const Calibration& calibration_;
  PhaseAngle angle_[PHASES];
  Frequency frequency_;
  float supply_v_;      // by the last slot
  float full_scale_v_;  // its mean over the last second or so
  float slot_w_;        // of the slot that is being ended: sum over the phases
  uint8_t step_;        // of that
  uint8_t exporting_;   // bit side * PHASES + phase: the direction that holds
  Second second_;
};

}  // namespace meter
