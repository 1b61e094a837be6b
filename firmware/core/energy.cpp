#include "energy.h"

#include <math.h>

namespace meter {

namespace {

const float MOST_MWS = 2.0e9f;  // of one step: what lrintf can give in 32 bits, and more than any house can

void add(uint32_t& counter_ws, uint32_t& rest_mws, float power_w, uint16_t duration_ms) {
  float step_mws = power_w * static_cast<float>(duration_ms);  // W · ms are mWs
  if (!(step_mws > 0.0f)) return;
  if (step_mws > MOST_MWS) step_mws = MOST_MWS;
  // To the nearest, halves to even: rounded halves up, floats of large steps would add up to too much.
  rest_mws += static_cast<uint32_t>(lrintf(step_mws));
  counter_ws += rest_mws / 1000;  // wraps at 2^32, as a counter does
  rest_mws %= 1000;
}

}  // namespace

void Energy::exchanged(float power_w, uint16_t duration_ms) {
  if (power_w > 0.0f) {
    add(counters_.export_ws, rest_mws_[1], power_w, duration_ms);
  } else {
    add(counters_.import_ws, rest_mws_[0], -power_w, duration_ms);
  }
}

void Energy::generated(float power_w, uint16_t duration_ms) {
  add(counters_.generation_ws, rest_mws_[2], power_w, duration_ms);
}

}  // namespace meter
