#include "energy.h"

namespace meter {

namespace {

// Watt-seconds in sixteenths of a mWs: what is cut off of them is less than a milliwatt.
const uint16_t PER_MWS = 16;
const uint16_t PER_WS = 1000 * PER_MWS;
const float MOST = 4.0e9f;  // of one step, which leaves room for the rest in 32 bits

void add(uint32_t& counter_ws, uint16_t& rest, float power_w, uint16_t duration_ms) {
  float step = power_w * static_cast<float>(static_cast<uint32_t>(duration_ms) * PER_MWS);  // W · ms are mWs
  if (!(step > 0.0f)) return;
  if (step > MOST) step = MOST;
  const uint32_t sum = static_cast<uint32_t>(step) + rest;
  counter_ws += sum / PER_WS;  // wraps at 2^32, as a counter does
  rest = static_cast<uint16_t>(sum % PER_WS);
}

}  // namespace

void Energy::exchanged(float power_w, uint16_t duration_ms) {
  if (power_w > 0.0f) {
    add(counters_.export_ws, rest_[1], power_w, duration_ms);
  } else {
    add(counters_.import_ws, rest_[0], -power_w, duration_ms);
  }
}

void Energy::generated(float power_w, uint16_t duration_ms) {
  add(counters_.generation_ws, rest_[2], power_w, duration_ms);
}

}  // namespace meter
