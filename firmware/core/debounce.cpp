#include "debounce.h"

namespace meter {

void Debounce::tick(bool closed) {
  if (closed == closed_) {
    differs_ms_ = 0;
  } else if (++differs_ms_ >= CONTACT_MS) {
    closed_ = closed;
    differs_ms_ = 0;
  }
}

}  // namespace meter
