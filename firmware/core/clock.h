// Time since the start in 64 bits, from a millisecond count that wraps after 49.7 days.
#pragma once

#include <stdint.h>

namespace meter {

class Clock {
 public:
  explicit Clock(uint32_t start_ms = 0) : now_ms_(0), last_ms_(start_ms) {}

  // To be told at least every 24 days.
  void tick(uint32_t count_ms) {
    now_ms_ += static_cast<uint32_t>(count_ms - last_ms_);
    last_ms_ = count_ms;
  }
  uint64_t uptime_ms() const { return now_ms_; }

 private:
  uint64_t now_ms_;
  uint32_t last_ms_;
};

}  // namespace meter
