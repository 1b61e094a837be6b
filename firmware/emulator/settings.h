// What a test sets: the mains, the currents, the breakers' contacts and the board's supply.
#pragma once

#include <cstdint>
#include <string>

namespace emulator {

constexpr int PHASES = 3;
enum Side { TIE, GENERATOR, SIDES };

// Odd harmonics 3, 5 … 15; even ones need a rectifier of one half wave somewhere.
constexpr int HARMONICS = 7;
constexpr int order_of(int harmonic) { return 2 * harmonic + 3; }

struct Settings {
  double frequency_hz = 50;
  double voltage_v[PHASES] = {};         // RMS of the fundamental
  double current_a[SIDES][PHASES] = {};  // likewise
  // By which the current, counted from the house into the micro-grid (of the generator: out of it), lags its
  // phase's voltage: within 90° power flows that way.
  double angle_deg[SIDES][PHASES] = {};
  // Percent of the fundamental, in phase with it: sin hθ beside sin θ.
  double voltage_harmonics[HARMONICS] = {};
  double current_harmonics[HARMONICS] = {};
  bool contact_closed[SIDES] = {};  // of the grid breaker and the generator's
  double supply_v = 5;
};

// One "KEY VALUE" of the line protocol. Returns what is wrong, or nothing.
std::string change(Settings& settings, const std::string& key, const std::string& value);

}  // namespace emulator
