#include "measure.h"

#include <math.h>
#include <string.h>

namespace meter {

namespace {

const float SUPPLY_STEP = 0.02f;   // a supply that differs more from its mean has changed: no mean of both
const float SUPPLY_SHARE = 0.125f;  // of one slot in that mean

Item item_of(Item first, uint8_t index) { return static_cast<Item>(first + index); }

// Sums of floats are calls on an AVR: what is not inlined saves 800 bytes of flash here.

// Mean counts, to the middle of the step the ADC cuts down to. Less than half a count is noise at nothing.
[[gnu::noinline]] float mean_counts(const AdcSum& adc) {
  if (2 * adc.sum <= adc.count) return 0.0f;
  return static_cast<float>(adc.sum) / static_cast<float>(adc.count) + 0.5f;
}

[[gnu::noinline]] void add(Power& sum, const Power& part) {
  sum.active_w += part.active_w;
  sum.reactive_var += part.reactive_var;
  sum.apparent_va += part.apparent_va;
}

[[gnu::noinline]] void scale(Power& sum, float factor) {
  sum.active_w *= factor;
  sum.reactive_var *= factor;
  sum.apparent_va *= factor;
}

[[gnu::noinline]] int8_t sign(float value) { return value > 0.0f ? 1 : value < 0.0f ? -1 : 0; }

// What turns a sum over so many slots into their mean.
[[gnu::noinline]] float share(uint8_t slots) { return slots > 0 ? 1.0f / static_cast<float>(slots) : 0.0f; }

}  // namespace

Measure::Measure(const Calibration& calibration)
    : calibration_(calibration),
      supply_v_(0.0f),
      full_scale_v_(0.0f),
      slot_w_(0.0f),
      step_(0),
      exporting_(0),
      second_() {}

void Measure::edge(uint32_t at, Squares squares) {
  for (uint8_t phase = 0; phase < PHASES; ++phase) {
    angle_[phase].edge(at, squares & 1, squares & (1 << PHASES));
    squares >>= 1;
  }
}

void Measure::begin_slot() {
  for (uint8_t phase = 0; phase < PHASES; ++phase) angle_[phase].restart();
}

bool Measure::end_slot(Side side, const AdcSums& sums, uint16_t covered_ms, Energy& energy) {
  if (step_ == 0) {
    measure_supply(sums.channel[BANDGAP_CHANNEL]);
    look_for_saturation(sums);
    slot_w_ = 0.0f;
  } else {
    end_phase(side, static_cast<uint8_t>(step_ - 1), sums);
  }
  if (++step_ <= PHASES) return false;
  step_ = 0;
  ++second_.slots[side];
  if (side == TIE) {
    energy.exchanged(slot_w_, covered_ms);
  } else {
    energy.generated(slot_w_, covered_ms);
  }
  return true;
}

[[gnu::noinline]] float Measure::calibrated(Item item, float unit) const {
  return static_cast<float>(calibration_.get(item)) * unit;
}

// One count of the bandgap is half a percent, so the supply's mean is taken over many slots.
void Measure::measure_supply(const AdcSum& bandgap) {
  supply_v_ = supply_v(mean_counts(bandgap), calibrated(BANDGAP_UV, 1.0e-6f));
  if (supply_v_ < LOW_SUPPLY_V) second_.flags |= SUPPLY_LOW;
  float change = supply_v_ - full_scale_v_;
  if (fabsf(change) < SUPPLY_STEP * full_scale_v_) change *= SUPPLY_SHARE;
  full_scale_v_ += change;
}

void Measure::look_for_saturation(const AdcSums& sums) {
  for (uint8_t i = 0; i < BANDGAP_CHANNEL; ++i) {
    if (sums.channel[i].peak < SATURATED_COUNTS) continue;
    second_.flags |= i < CURRENT_CHANNEL ? VOLTAGE_SATURATED : CURRENT_SATURATED;
  }
}

void Measure::end_phase(Side side, uint8_t phase, const AdcSums& sums) {
  const uint8_t place = static_cast<uint8_t>(side * PHASES + phase);
  const AdcSum* const adc = &sums.channel[phase];
  const float voltage_v = channel(VOLTAGE_FRONT_END, adc[VOLTAGE_CHANNEL], item_of(VOLTAGE_GAIN, phase),
                                  item_of(VOLTAGE_OFFSET, phase), LEAST_VOLTAGE_V);
  const float current_a = channel(CURRENT_FRONT_END, adc[CURRENT_CHANNEL], item_of(CURRENT_GAIN, place),
                                  item_of(CURRENT_OFFSET, place), LEAST_CURRENT_A);
  const Power power = directed_power(place, angle_[phase], voltage_v, current_a);
  slot_w_ += power.active_w;
  PhaseSums& of_phase = second_.phase[phase];
  of_phase.voltage_v += voltage_v;
  Power* sum = &second_.generator;
  if (side == TIE) {
    of_phase.current_a += current_a;
    sum = &of_phase.exchange;
  }
  add(*sum, power);
}

// RMS by formula and two-point calibration; zero where nothing was read, whatever the offset.
float Measure::channel(const FrontEnd& front, const AdcSum& adc, Item gain, Item offset, float least) const {
  FrontEnd front_end = front;
  front_end.diode_drop_v = calibrated(DIODE_DROP_MV, 1.0e-3f);
  const float formula = rms(front_end, mean_counts(adc), full_scale_v_);
  if (!(formula > 0.0f)) return 0.0f;
  const float value = formula * calibrated(gain, 1.0e-6f) + calibrated(offset, 1.0e-3f);
  return value < least ? 0.0f : value;
}

// Power of one phase, in the direction that holds. Power against it, which there is only within 2° of a right
// angle, counts as none.
Power Measure::directed_power(uint8_t place, const PhaseAngle& angle, float voltage_v, float current_a) {
  const float shift_deg = calibrated(item_of(CURRENT_ANGLE, place), 1.0e-3f);
  Power result = power(voltage_v, current_a, angle.degrees() - shift_deg);
  if (!angle.known()) result.active_w = result.reactive_var = 0.0f;
  const uint8_t bit = static_cast<uint8_t>(1 << place);
  const bool exports = result.active_w > 0.0f;
  const bool exported = exporting_ & bit;
  if (exports == exported) return result;
  if (fabsf(result.active_w) <= DIRECTION_HYSTERESIS * result.apparent_va) {
    result.active_w = 0.0f;
  } else {
    exporting_ ^= bit;
  }
  return result;
}

bool Measure::end_second(Reading& reading) {
  if (step_ != 0) return false;
  reading.exchange = Power();
  for (uint8_t phase = 0; phase < PHASES; ++phase) {
    read_phase(phase, reading.phase[phase]);
    add(reading.exchange, second_.phase[phase].exchange);
  }
  scale(reading.exchange, share(second_.slots[TIE]));
  reading.generator = second_.generator;
  scale(reading.generator, share(second_.slots[GENERATOR]));

  reading.flags = second_.flags;
  if (reading.generator.active_w < -REVERSE_FLOW_W) reading.flags |= REVERSE_FLOW;
  memset(&second_, 0, sizeof second_);

  const bool voltage = reading.phase[0].voltage_v > 0.0f;
  reading.frequency_hz = voltage ? frequency_.hertz(calibration_.get(CLOCK_PPM)) : 0.0f;
  if (frequency_.silent()) frequency_.silence();
  frequency_.restart();
  return true;
}

void Measure::read_phase(uint8_t phase, PhaseReading& reading) const {
  const PhaseSums& sum = second_.phase[phase];
  const Power& power = sum.exchange;
  const uint8_t tie_slots = second_.slots[TIE];
  reading.voltage_v = sum.voltage_v * share(static_cast<uint8_t>(tie_slots + second_.slots[GENERATOR]));
  reading.current_a = sum.current_a * share(tie_slots);
  reading.power_factor = 0.0f;
  reading.leading = reading.exporting = false;
  int8_t active = sign(power.active_w);
  const int8_t reactive = sign(power.reactive_var);
  if (active == 0 && reactive == 0) return;
  reading.power_factor = fabsf(power.active_w) / power.apparent_va;
  // Within 2° of a right angle there may be no active power to tell by.
  if (active == 0) active = exporting_ & (1 << phase) ? 1 : -1;
  reading.exporting = active > 0;
  reading.leading = reactive == -active;
}

}  // namespace meter
