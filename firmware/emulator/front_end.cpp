#include "front_end.h"

#include <cmath>

namespace emulator {
namespace {

constexpr double TRANSFORMER = 12.0 / 220.0;
constexpr double BURDEN_V_PER_A = 1;
constexpr double VOLTAGE_DIVIDER = 4.28;
constexpr double CURRENT_DIVIDER = 5.685;
constexpr double CAPACITOR_F = 10e-6;
constexpr double VOLTAGE_LOAD_OHM = 100e3;  // 1 s
constexpr double CURRENT_LOAD_OHM = 15e3;   // 0.15 s
constexpr double SOURCE_OHM = 20;
constexpr double ADC_STEP_V = 5.0 / 1023;

constexpr double HYSTERESIS_V = 0.001;
constexpr double COMPARATOR_DELAY_S = 4e-6;
constexpr double COMPARATOR_JITTER_S = 1.5e-6;

// Of the supply, together 10 mV rms: what is left of the rectified mains, and the rest.
constexpr double HUM_V = 0.008 * 1.41421356;
constexpr double HISS_V = 0.006;

}  // namespace

FrontEnd::FrontEnd(Profile profile, uint64_t seed, bool noise) : random_(seed ^ 0xADC), noise_(noise) {
  Random parts(seed);
  build(profile, parts, seed == 0);
  apply(Settings());
}

void FrontEnd::build(Profile profile, Random& parts, bool nominal) {
  const auto within = [&](double tolerance) { return nominal ? 0 : tolerance * parts.even(); };
  bandgap_v_ = NOMINAL_BANDGAP_V * (1 + within(0.03));
  for (int i = 0; i < CHANNELS; i++) {
    Channel& c = channel_[i];
    const bool voltage = i < PHASES;
    c.gain = (voltage ? TRANSFORMER : BURDEN_V_PER_A) * (1 + within(0.006));
    c.shift_rad = within(PI / 180);
    c.divider = (voltage ? VOLTAGE_DIVIDER : CURRENT_DIVIDER) * (1 + within(0.004));
    c.threshold_v = within(0.001);
    c.seen_v = 0;
    c.level = false;
    const double offset_v = within(0.3) * ADC_STEP_V * c.divider;
    const double load_ohm = voltage ? VOLTAGE_LOAD_OHM : CURRENT_LOAD_OHM;
    c.rectifier.build(profile, {SOURCE_OHM, CAPACITOR_F, load_ohm, offset_v}, STEP_S);
  }
}

void FrontEnd::apply(const Settings& settings) {
  settings_ = settings;
  orders_ = 1;
  for (int i = 0; i < HARMONICS; i++)
    if (settings.voltage_harmonics[i] > 0 || settings.current_harmonics[i] > 0) orders_ = i + 2;
  for (int phase = 0; phase < PHASES; phase++) {
    form(channel_[phase], settings.voltage_v[phase], 0, settings.voltage_harmonics);
    for (int side = 0; side < SIDES; side++)
      form(channel_[PHASES * (1 + side) + phase], settings.current_a[side][phase],
           settings.angle_deg[side][phase] * PI / 180, settings.current_harmonics);
  }
}

void FrontEnd::form(Channel& c, double rms, double angle_rad, const double* harmonics_percent) {
  const double shift_rad = c.shift_rad * 50 / settings_.frequency_hz;
  for (int i = 0; i < ORDERS; i++) {
    const int order = 2 * i + 1;
    const double amplitude = std::sqrt(2) * rms * (i ? harmonics_percent[i - 1] / 100 : 1);
    const double lag = order * angle_rad;
    const double seen_lag = lag + shift_rad / order;
    c.true_wave.sine[i] = amplitude * std::cos(lag);
    c.true_wave.cosine[i] = -amplitude * std::sin(lag);
    c.seen_wave.sine[i] = amplitude * c.gain * std::cos(seen_lag);
    c.seen_wave.cosine[i] = -amplitude * c.gain * std::sin(seen_lag);
  }
}

double FrontEnd::value(const Waveform& wave, const double* sines, const double* cosines) const {
  double sum = 0;
  for (int i = 0; i < orders_; i++) sum += wave.sine[i] * sines[i] + wave.cosine[i] * cosines[i];
  return sum;
}

void FrontEnd::step() {
  edge_count_ = 0;
  theta_ += 2 * PI * settings_.frequency_hz * STEP_S;
  if (theta_ >= 2 * PI) {
    theta_ -= 2 * PI;
    settle_cycle();
  }
  for (int phase = 0; phase < PHASES; phase++) {
    double sines[ORDERS], cosines[ORDERS];
    const double theta = theta_ - phase * 2 * PI / PHASES;
    sines[0] = std::sin(theta);
    cosines[0] = std::cos(theta);
    const double sine_2 = 2 * sines[0] * cosines[0], cosine_2 = 1 - 2 * sines[0] * sines[0];
    for (int i = 1; i < orders_; i++) {
      sines[i] = sines[i - 1] * cosine_2 + cosines[i - 1] * sine_2;
      cosines[i] = cosines[i - 1] * cosine_2 - sines[i - 1] * sine_2;
    }
    const double voltage_v = value(channel_[phase].true_wave, sines, cosines);
    look_ahead(phase, value(channel_[phase].seen_wave, sines, cosines));
    for (int side = 0; side < SIDES; side++) {
      const int i = PHASES * (1 + side) + phase;
      cycle_ws_[side] += voltage_v * value(channel_[i].true_wave, sines, cosines) * STEP_S;
      look_ahead(i, value(channel_[i].seen_wave, sines, cosines));
    }
  }
}

// The waveform is all but straight where it crosses a comparator's threshold.
void FrontEnd::look_ahead(int channel, double next_v) {
  Channel& c = channel_[channel];
  c.rectifier.step((std::fabs(c.seen_v) + std::fabs(next_v)) / 2);
  const double threshold_v = c.threshold_v + (c.level ? -HYSTERESIS_V : HYSTERESIS_V);
  if (c.level ? next_v < threshold_v : next_v > threshold_v) {
    const double way = c.seen_v == next_v ? 0 : (threshold_v - c.seen_v) / (next_v - c.seen_v);
    const double jitter_s = noise_ ? COMPARATOR_JITTER_S * random_.normal() : 0;
    c.level = !c.level;
    const double share = way < 0 ? 0 : way > 1 ? 1 : way;
    edges_[edge_count_++] = {channel, c.level, share * STEP_S + COMPARATOR_DELAY_S + jitter_s};
  }
  c.seen_v = next_v;
}

double FrontEnd::pin_v(int pin, Side side) const {
  const Channel& c = channel_[pin < PHASES ? pin : pin + PHASES * side];
  return c.rectifier.capacitor_v() / c.divider;
}

double FrontEnd::supply_v() {
  if (!noise_) return settings_.supply_v;
  return settings_.supply_v + HUM_V * std::sin(2 * theta_) + HISS_V * random_.normal();
}

void FrontEnd::settle_cycle() {
  truth_ = truth();
  cycle_ws_[TIE] = cycle_ws_[GENERATOR] = 0;
}

Truth FrontEnd::truth() const {
  Truth sum = truth_;
  (cycle_ws_[TIE] < 0 ? sum.import_ws : sum.export_ws) += std::fabs(cycle_ws_[TIE]);
  if (cycle_ws_[GENERATOR] > 0) sum.generation_ws += cycle_ws_[GENERATOR];
  return sum;
}

}  // namespace emulator
