// A rectifier with its smoothing capacitor and load: volts in, volts on the capacitor.
#pragma once

namespace emulator {

enum Profile {
  ACTIVE,  // precision full-wave rectifier: an ideal diode behind a resistance, and an amplifier's offset
  BRIDGE,  // the source's: two diodes in series, of Shockley's law
};

struct RectifierParts {
  double source_ohm;
  double farad;
  double load_ohm;  // the divider
  double offset_v;  // ACTIVE only
};

class Rectifier {
 public:
  void build(Profile profile, const RectifierParts& parts, double step_s);

  // One step, in which the input's mean is `input_v`.
  void step(double input_v) { capacitor_v_ = profile_ == ACTIVE ? active(input_v) : bridge(input_v); }
  double capacitor_v() const { return capacitor_v_; }

 private:
  double active(double input_v) const;
  double bridge(double input_v) const;

  Profile profile_ = ACTIVE;
  RectifierParts parts_ = {};
  double step_s_ = 0;
  double charging_, discharging_;  // what a step leaves of the distance to where it goes
  double reached_;                 // share of the input that the load leaves while charging
  double capacitor_v_ = 0;
};

}  // namespace emulator
