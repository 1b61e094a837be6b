#include "crc.h"

namespace meter {

// Eight shifts by the polynomial at once: no table, and a dozen instructions on an AVR.
uint16_t crc16(uint16_t crc, uint8_t byte) {
  uint8_t mixed = static_cast<uint8_t>((crc >> 8) ^ byte);
  mixed = static_cast<uint8_t>(mixed ^ (mixed >> 4));
  const uint16_t wide = mixed;
  return static_cast<uint16_t>((crc << 8) ^ (wide << 12) ^ (wide << 5) ^ wide);
}

uint16_t crc16(const uint8_t* bytes, uint16_t count) {
  uint16_t crc = CRC_START;
  for (uint16_t i = 0; i < count; ++i) crc = crc16(crc, bytes[i]);
  return crc;
}

}  // namespace meter
