// Watt-second counters that wrap at 2^32 and lose nothing between whole watt-seconds.
#pragma once

#include <stdint.h>

namespace meter {

struct Counters {
  uint32_t import_ws, export_ws, generation_ws;
};

class Energy {
 public:
  Energy() : counters_(), rest_() {}

  void restore(const Counters& counters) { counters_ = counters; }

  // Power into the micro-grid for so long: positive is export, negative import. Kept to a sixteenth of a mWs.
  void exchanged(float power_w, uint16_t duration_ms);
  // A generator that takes power generates nothing.
  void generated(float power_w, uint16_t duration_ms);

  const Counters& counters() const { return counters_; }

 private:
  Counters counters_;
  uint16_t rest_[3];  // of import, export, generation: sixteenths of a mWs
};

}  // namespace meter
