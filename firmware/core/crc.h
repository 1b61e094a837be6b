// CRC-16/CCITT-FALSE: polynomial 1021, start FFFF; "123456789" gives 29B1.
#pragma once

#include <stdint.h>

namespace meter {

const uint16_t CRC_START = 0xFFFF;

uint16_t crc16(uint16_t crc, uint8_t byte);
uint16_t crc16(const uint8_t* bytes, uint16_t count);

}  // namespace meter
