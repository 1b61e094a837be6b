// Tables that stay in flash: an AVR keeps constants in its RAM otherwise, of which there is little.
#pragma once

#include <stdint.h>

#ifdef __AVR__
#include <avr/pgmspace.h>
#define METER_FLASH PROGMEM
#else
#define METER_FLASH
#endif

namespace meter {

// One entry of a table that was declared METER_FLASH.
inline uint64_t flash_u64(const uint64_t* entry) {
#ifdef __AVR__
  uint64_t value;
  memcpy_P(&value, entry, sizeof value);
  return value;
#else
  return *entry;
#endif
}

}  // namespace meter
