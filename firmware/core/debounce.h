// A breaker's auxiliary contact, that is believed once it has stood still.
#pragma once

#include <stdint.h>

namespace meter {

const uint8_t CONTACT_MS = 20;

class Debounce {
 public:
  explicit Debounce(bool closed = false) : closed_(closed), differs_ms_(0) {}

  // The contact as it is now, every millisecond.
  void tick(bool closed);
  bool closed() const { return closed_; }

 private:
  bool closed_;
  uint8_t differs_ms_;
};

}  // namespace meter
