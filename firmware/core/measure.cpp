#include "measure.h"

#include <math.h>

namespace meter {

namespace {

const float NO_ANGLE = 999.0f;          // no whole period was seen
const float SUPPLY_STEP = 0.02f;        // a supply that differs more from its mean has changed: no mean of both
const float SUPPLY_SHARE = 1.0f / 8.0f;  // of one slot in that mean

Item item_of(Item first, uint8_t index) { return static_cast<Item>(first + index); }

// Mean counts, to the middle of the step the ADC cuts down to. Less than half a count is its noise at nothing.
float mean_counts(const AdcSum& adc) {
  if (adc.sum < adc.count / 2u || adc.sum == 0) return 0.0f;
  return static_cast<float>(adc.sum) / static_cast<float>(adc.count) + 0.5f;
}

float turned_into_range(float degrees) {
  if (degrees > HALF_TURN_DEG) return degrees - 2.0f * HALF_TURN_DEG;
  if (degrees < -HALF_TURN_DEG) return degrees + 2.0f * HALF_TURN_DEG;
  return degrees;
}

void add(Power& sum, const Power& part) {
  sum.active_w += part.active_w;
  sum.reactive_var += part.reactive_var;
  sum.apparent_va += part.apparent_va;
}

Power scaled(const Power& sum, float factor) {
  const Power result = {sum.active_w * factor, sum.reactive_var * factor, sum.apparent_va * factor};
  return result;
}

// What turns a sum over so many slots into their mean.
float share(uint8_t slots) { return slots > 0 ? 1.0f / static_cast<float>(slots) : 0.0f; }

}  // namespace

Measure::Measure(const Calibration& calibration)
    : calibration_(calibration),
      bandgap_counts_(0.0f),
      full_scale_v_(0.0f),
      supply_v_(0.0f),
      slot_deg_(),
      slot_(),
      step_(0),
      sums_(),
      generator_(),
      generator_slots_(0),
      flags_(0),
      exporting_(0) {}

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
    begin_end(sums);
    step_ = 1;
    return false;
  }
  end_phase(side, static_cast<uint8_t>(step_ - 1), sums);
  if (step_++ < PHASES) return false;
  step_ = 0;
  if (side == TIE) {
    energy.exchanged(slot_.active_w, covered_ms);
  } else {
    energy.generated(slot_.active_w, covered_ms);
    add(generator_, slot_);
    ++generator_slots_;
  }
  return true;
}

void Measure::begin_end(const AdcSums& sums) {
  measure_supply(sums.channel[BANDGAP_CHANNEL]);
  slot_ = Power();
  for (uint8_t phase = 0; phase < PHASES; ++phase) {
    slot_deg_[phase] = angle_[phase].known() ? angle_[phase].degrees() : NO_ANGLE;
    if (sums.channel[VOLTAGE_CHANNEL + phase].peak >= SATURATED_COUNTS) flags_ |= VOLTAGE_SATURATED;
    if (sums.channel[CURRENT_CHANNEL + phase].peak >= SATURATED_COUNTS) flags_ |= CURRENT_SATURATED;
  }
}

// One step of the ADC is half a percent of the bandgap, so its mean is taken over many slots.
void Measure::measure_supply(const AdcSum& bandgap) {
  const float counts = mean_counts(bandgap);
  if (counts > 0.0f) {
    const float change = counts - bandgap_counts_;
    const bool stepped = fabsf(change) > SUPPLY_STEP * bandgap_counts_;
    bandgap_counts_ = stepped ? counts : bandgap_counts_ + change * SUPPLY_SHARE;
    const float bandgap_v = static_cast<float>(calibration_.get(BANDGAP_UV)) * 1.0e-6f;
    full_scale_v_ = supply_v(bandgap_counts_, bandgap_v);
    supply_v_ = supply_v(counts, bandgap_v);
  }
  if (supply_v_ < LOW_SUPPLY_V) flags_ |= SUPPLY_LOW;
}

void Measure::end_phase(Side side, uint8_t phase, const AdcSums& sums) {
  const uint8_t place = static_cast<uint8_t>(side * PHASES + phase);
  float voltage_v = channel(VOLTAGE_FRONT_END, sums.channel[VOLTAGE_CHANNEL + phase], item_of(VOLTAGE_GAIN, phase),
                            item_of(VOLTAGE_OFFSET, phase));
  float current_a = channel(CURRENT_FRONT_END, sums.channel[CURRENT_CHANNEL + phase], item_of(CURRENT_GAIN, place),
                            item_of(CURRENT_OFFSET, place));
  if (voltage_v < LEAST_VOLTAGE_V) voltage_v = 0.0f;
  if (current_a < LEAST_CURRENT_A) current_a = 0.0f;

  const Power power = directed_power(side, phase, voltage_v, current_a);
  add(slot_, power);
  PhaseSums& sum = sums_[phase];
  sum.voltage_v += voltage_v;
  ++sum.slots;
  if (side == TIE) {
    sum.current_a += current_a;
    add(sum.exchange, power);
    ++sum.tie_slots;
  }
}

// RMS by formula and two-point calibration; zero where nothing was read, whatever the offset.
float Measure::channel(const FrontEnd& nominal, const AdcSum& adc, Item gain, Item offset) const {
  FrontEnd front_end = nominal;
  front_end.diode_drop_v = static_cast<float>(calibration_.get(DIODE_DROP_MV)) * 0.001f;
  const float formula = rms(front_end, mean_counts(adc), full_scale_v_);
  if (!(formula > 0.0f)) return 0.0f;
  return formula * (static_cast<float>(calibration_.get(gain)) * 1.0e-6f) +
         static_cast<float>(calibration_.get(offset)) * 0.001f;
}

// Power of one phase, in the direction that holds. Power against it, which there is only within 2° of a right
// angle, counts as none.
Power Measure::directed_power(Side side, uint8_t phase, float voltage_v, float current_a) {
  const uint8_t place = static_cast<uint8_t>(side * PHASES + phase);
  Power result = {0.0f, 0.0f, voltage_v * current_a};
  if (!(result.apparent_va > 0.0f) || slot_deg_[phase] == NO_ANGLE) return result;
  const float shift_deg = static_cast<float>(calibration_.get(item_of(CURRENT_ANGLE, place))) * 0.001f;
  const float degrees = turned_into_range(slot_deg_[phase] - shift_deg);
  const uint8_t bit = static_cast<uint8_t>(1 << place);
  if (fabsf(degrees) < 90.0f - DIRECTION_HYSTERESIS_DEG) exporting_ |= bit;
  if (fabsf(degrees) > 90.0f + DIRECTION_HYSTERESIS_DEG) exporting_ &= static_cast<uint8_t>(~bit);
  result = power(voltage_v, current_a, degrees);
  if (exports(side, phase) != (result.active_w > 0.0f)) result.active_w = 0.0f;
  return result;
}

bool Measure::end_second(Reading& reading) {
  reading.exchange = Power();
  for (uint8_t phase = 0; phase < PHASES; ++phase) {
    read_phase(phase, reading.phase[phase]);
    add(reading.exchange, scaled(sums_[phase].exchange, share(sums_[phase].tie_slots)));
    sums_[phase] = PhaseSums();
  }
  reading.generator = scaled(generator_, share(generator_slots_));
  generator_ = Power();
  generator_slots_ = 0;

  const bool voltage = reading.phase[0].voltage_v > 0.0f;
  reading.frequency_hz = voltage ? frequency_.hertz(calibration_.get(CLOCK_PPM)) : 0.0f;
  if (frequency_.silent()) frequency_.silence();
  frequency_.restart();

  if (reading.generator.active_w < -REVERSE_FLOW_W) flags_ |= REVERSE_FLOW;
  reading.flags = flags_;
  flags_ = 0;
  return true;
}

void Measure::read_phase(uint8_t phase, PhaseReading& reading) const {
  const PhaseSums& sum = sums_[phase];
  const Power& power = sum.exchange;
  reading.voltage_v = sum.voltage_v * share(sum.slots);
  reading.current_a = sum.current_a * share(sum.tie_slots);
  reading.power_factor = 0.0f;
  reading.leading = reading.exporting = false;
  const bool known = power.active_w != 0.0f || power.reactive_var != 0.0f;
  if (!(power.apparent_va > 0.0f) || !known) return;
  reading.power_factor = fminf(fabsf(power.active_w) / power.apparent_va, 1.0f);
  // Within 2° of a right angle there may be no active power to tell by.
  reading.exporting = power.active_w != 0.0f ? power.active_w > 0.0f : exports(TIE, phase);
  reading.leading = power.reactive_var != 0.0f && (power.reactive_var > 0.0f) != reading.exporting;
}

}  // namespace meter
