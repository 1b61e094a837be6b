// Mains made into counts and edges, as the board makes them, for the measuring alone.
#pragma once

#include <doctest/doctest.h>
#include <math.h>
#include <stdint.h>

#include <algorithm>
#include <vector>

#include "../core/calibration.h"
#include "../core/measure.h"

namespace bench {

using namespace meter;

struct Load {
  double current_a, lag_deg;
};

struct Bench {
  double voltage_v[PHASES] = {230, 230, 230};
  Load load[SIDES][PHASES] = {};
  double hz = 50;
  double supply_v = 5.0;
  double bandgap_v = 1.1;
  double drop_v = 0;  // of bridges
  double noise_counts = 0;
  bool edges = true;

  Calibration calibration;
  Measure measure;
  Energy energy;
  uint32_t now_us = 4200000000u;  // the ticks wrap
  Side side = TIE;

  Bench() : measure(calibration) {}

  void all(Side which, double current_a, double lag_deg) {
    for (Load& one : load[which]) one = Load{current_a, lag_deg};
  }

  // Cut down to whole counts around what the pin has; the ripple spreads it over one count.
  AdcSum adc(double pin_v) const {
    const double counts = std::max(pin_v, 0.0) / supply_v * 1023;
    AdcSum result = {0, 0, 0};
    for (int i = 0; i < 136; ++i) {
      const double ripple = (i % 17 + 0.5) / 17 - 0.5;
      const double noise = noise_counts * sin(i * 2.4);
      const double cut = floor(counts > 0 ? counts + ripple + noise : noise);
      const uint16_t code = static_cast<uint16_t>(std::min(std::max(cut, 0.0), 1023.0));
      result.sum += code;
      result.peak = std::max(result.peak, code);
      ++result.count;
    }
    return result;
  }

  double pin_v(const FrontEnd& front_end, double rms) const {
    const double peak_v = rms / static_cast<double>(front_end.ratio) * sqrt(2.0) - drop_v;
    return peak_v / static_cast<double>(front_end.divider);
  }

  AdcSums sums() const {
    AdcSums result;
    for (uint8_t phase = 0; phase < PHASES; ++phase) {
      result.channel[VOLTAGE_CHANNEL + phase] = adc(pin_v(VOLTAGE_FRONT_END, voltage_v[phase]));
      result.channel[CURRENT_CHANNEL + phase] = adc(pin_v(CURRENT_FRONT_END, load[side][phase].current_a));
    }
    result.channel[BANDGAP_CHANNEL] = adc(bandgap_v);
    return result;
  }

  bool positive(double at_us, double lag_deg) const {
    const double turns = at_us * 1e-6 * hz - lag_deg / 360;
    return turns - floor(turns) < 0.5;
  }

  // 98 ms of squares, looked at every 20 µs; time in the slot begins anew each time.
  void squares() {
    Squares before = 0xFF;
    for (uint32_t at_us = 0; at_us < 98000; at_us += 20) {
      Squares now = 0;
      for (uint8_t phase = 0; phase < PHASES; ++phase) {
        const bool voltage = voltage_v[phase] > 1 && positive(at_us + 7, 120.0 * phase);
        const Load& its = load[side][phase];
        const bool current = its.current_a > 0 && positive(at_us + 7, 120.0 * phase + its.lag_deg);
        now = static_cast<Squares>(now | voltage << phase | (voltage != current) << (PHASES + phase));
      }
      const uint32_t at = static_cast<uint32_t>((static_cast<uint64_t>(now_us) + at_us) * 2);
      if (now != before) measure.edge(at, now);
      if (before != 0xFF && (now & ~before & 1)) measure.capture(at);
      before = now;
    }
  }

  void slot() {
    if (edges) squares();
    const AdcSums now = sums();
    while (!measure.end_slot(side, now, 200, energy)) {
    }
    measure.begin_slot();
    side = side == TIE ? GENERATOR : TIE;
    now_us += 100000;  // five periods at 50 Hz
  }

  Reading second() {
    for (int i = 0; i < 10; ++i) slot();
    Reading reading;
    REQUIRE(measure.end_second(reading));
    return reading;
  }
};

}  // namespace bench
