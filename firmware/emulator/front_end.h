// What stands between the mains and the Uno's pins, as physics and not as the inverse of the firmware's formulas.
//
//   mains → transformer 220:12 (a current: transformer and 1 Ω burden) ─┬→ rectifier → capacitor → divider → ADC
//                                                                       └→ comparator → square, XOR → pins
//
// Parts differ from their nominal value as the seed says, within: transformer or burden 0.6 %, divider 0.4 % (a
// channel: 1 %), phase of a transformer 1° at 50 Hz (falling with the frequency, as R/ωL does), rectifier's
// amplifier 0.3 steps of the ADC, comparator 1 mV, bandgap 3 %. Seed 0 has nominal parts.
//
// Capacitors discharge with a time constant of 1 s (voltages) and 0.15 s (currents). A half wave of 50 Hz takes
// 1 % and 6.4 % off them; their means are 0.6 % and 3.1 % below the peak, which calibration takes out. What it
// cannot take out is what moves with the frequency: between 45 and 65 Hz a voltage by -0.03 and +0.06 %, a current
// by -0.3 and +0.5 %, that is 0.02 % in the half hertz that mains stray by. In return a current that falls is
// followed within a second: from I1 to I2 the capacitor gives 0.15 s·(I1 - I2 - I2·ln(I1/I2)) too much. On a
// measured household, played a minute a second, that is 0.1 to 0.2 % of a day's energy; with 1 s it would be 1 %.
//
// Dividers are 4.28 and 5.685: with 5 V of supply the ADC ends at 277 V and 20.1 A behind active rectifiers, and
// two diodes' drop higher behind bridges. These give nothing to speak of below 0.9 A and 16 V.
#pragma once

#include <cstdint>

#include "random.h"
#include "rectifier.h"
#include "settings.h"

namespace emulator {

constexpr double PI = 3.14159265358979323846;
// Half a conversion of the ADC, in cycles of 16 MHz.
constexpr int STEP_CYCLES = 832;
constexpr double STEP_S = STEP_CYCLES / 16e6;
constexpr int CHANNELS = PHASES + SIDES * PHASES;  // voltages, tie, generator: rectifiers and comparators alike
constexpr double NOMINAL_BANDGAP_V = 1.1;

struct Truth {
  double import_ws, export_ws, generation_ws;
};

// A comparator that will switch within the step ahead.
struct Edge {
  int channel;
  bool level;
  double after_s;  // from the step's beginning
};

class FrontEnd {
 public:
  FrontEnd(Profile profile, uint64_t seed, bool noise);

  // Takes effect with the next step.
  void apply(const Settings& settings);

  // From now to one step ahead.
  void step();
  const Edge* edges() const { return edges_; }
  int edge_count() const { return edge_count_; }

  // At a pin of the ADC, without the ADC's own noise: A0 … A5, and what the multiplexer shows there.
  double pin_v(int pin, Side side) const;
  // The ADC's own noise, and the supply with its ripple: another value at each call.
  double noise_v() { return noise_ ? NOISE_V * random_.normal() : 0; }
  double supply_v();
  double bandgap_v() const { return bandgap_v_; }

  // ∫ p dt of the waveforms, import and export by the sign of each cycle's power summed over the phases.
  Truth truth() const;

 private:
  static constexpr double NOISE_V = 0.0024;  // half a step of the ADC
  static constexpr int ORDERS = HARMONICS + 1;

  // Σ (sine·sin hθ + cosine·cos hθ) over the fundamental and its harmonics.
  struct Waveform {
    double sine[ORDERS], cosine[ORDERS];
  };
  struct Channel {
    double gain;  // volts at the rectifier and the comparator for a volt or an ampere of the mains
    double shift_rad;
    double divider;
    double threshold_v;
    Waveform true_wave, seen_wave;
    double seen_v;
    bool level;
    Rectifier rectifier;
  };

  void build(Profile profile, Random& parts, bool nominal);
  void form(Channel& channel, double rms, double angle_rad, const double* harmonics_percent);
  double value(const Waveform& wave, const double* sines, const double* cosines) const;
  void look_ahead(int channel, double next_v);
  void settle_cycle();

  Channel channel_[CHANNELS];
  Random random_;
  bool noise_;
  double bandgap_v_;
  Settings settings_;
  int orders_ = 1;  // of the waveforms, that are not zero
  double theta_ = 0;
  Edge edges_[CHANNELS];
  int edge_count_ = 0;
  double cycle_ws_[SIDES] = {};  // of the cycle that runs
  Truth truth_ = {};
};

}  // namespace emulator
