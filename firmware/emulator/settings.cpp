#include "settings.h"

#include <cmath>
#include <cstdlib>

namespace emulator {
namespace {

struct Place {
  double* value;
  bool* flag;
  double least, most;
};

// 0 … 2 of a key's phase "1" … "3", or -1.
int phase_of(const std::string& digits) {
  return digits.size() == 1 && digits[0] >= '1' && digits[0] <= '3' ? digits[0] - '1' : -1;
}

// 0 … of "3", "5" … "15", or -1.
int harmonic_of(const std::string& digits) {
  for (int i = 0; i < HARMONICS; i++)
    if (digits == std::to_string(order_of(i))) return i;
  return -1;
}

Place place_of(Settings& s, const std::string& key) {
  if (key == "f") return {&s.frequency_hz, nullptr, 10, 100};
  if (key == "vcc") return {&s.supply_v, nullptr, 1, 6};
  if (key == "tie") return {nullptr, &s.contact_closed[TIE], 0, 1};
  if (key == "gen") return {nullptr, &s.contact_closed[GENERATOR], 0, 1};
  const size_t digits = key.find_first_of("0123456789");
  if (digits == std::string::npos) return {};
  const std::string name = key.substr(0, digits);
  const int harmonic = harmonic_of(key.substr(digits));
  if (harmonic >= 0 && name == "hv") return {&s.voltage_harmonics[harmonic], nullptr, 0, 100};
  if (harmonic >= 0 && name == "hi") return {&s.current_harmonics[harmonic], nullptr, 0, 100};
  const int phase = phase_of(key.substr(digits));
  if (phase < 0) return {};
  if (name == "v") return {&s.voltage_v[phase], nullptr, 0, 1000};
  if (name == "i") return {&s.current_a[TIE][phase], nullptr, 0, 1000};
  if (name == "g") return {&s.current_a[GENERATOR][phase], nullptr, 0, 1000};
  if (name == "ia") return {&s.angle_deg[TIE][phase], nullptr, -360, 360};
  if (name == "ga") return {&s.angle_deg[GENERATOR][phase], nullptr, -360, 360};
  return {};
}

}  // namespace

std::string change(Settings& settings, const std::string& key, const std::string& value) {
  const Place place = place_of(settings, key);
  if (!place.value && !place.flag) return "nothing is called " + key;
  char* end;
  const double number = std::strtod(value.c_str(), &end);
  if (value.empty() || *end || !(number >= place.least && number <= place.most))
    return key + " cannot be " + value;
  if (place.flag) {
    if (number != 0 && number != 1) return key + " is 0 or 1, not " + value;
    *place.flag = number == 1;
  } else {
    *place.value = number;
  }
  return "";
}

}  // namespace emulator
