#include <doctest/doctest.h>

#include <cstring>
#include <random>

#include "../core/crc.h"

using namespace meter;

namespace {

// As the polynomial says it, a bit at a time.
uint16_t by_bits(uint16_t crc, uint8_t byte) {
  crc = static_cast<uint16_t>(crc ^ (byte << 8));
  for (int bit = 0; bit < 8; ++bit) {
    crc = static_cast<uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

}  // namespace

TEST_CASE("crc: the catalogue's check value") {
  const char* digits = "123456789";
  CHECK(crc16(reinterpret_cast<const uint8_t*>(digits), 9) == 0x29B1);
  CHECK(crc16(nullptr, 0) == CRC_START);
}

TEST_CASE("crc: every byte after every state is as the polynomial has it") {
  for (uint32_t crc = 0; crc <= 0xFFFF; crc += 251) {
    for (int byte = 0; byte <= 0xFF; ++byte) {
      REQUIRE(crc16(static_cast<uint16_t>(crc), static_cast<uint8_t>(byte)) ==
              by_bits(static_cast<uint16_t>(crc), static_cast<uint8_t>(byte)));
    }
  }
}

TEST_CASE("crc: a burst of up to 16 wrong bits never goes unseen") {
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    uint8_t right[18], wrong[18];
    for (uint8_t& byte : right) byte = static_cast<uint8_t>(random());
    std::memcpy(wrong, right, sizeof right);
    const size_t at = random() % 17;
    wrong[at] = static_cast<uint8_t>(random());
    wrong[at + 1] = static_cast<uint8_t>(random());
    if (std::memcmp(right, wrong, sizeof right) == 0) continue;
    REQUIRE(crc16(right, sizeof right) != crc16(wrong, sizeof wrong));
  }
}
