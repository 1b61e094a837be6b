#include <doctest/doctest.h>
#include <stdint.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "../core/calibration.h"
#include "../core/crc.h"

using namespace meter;

namespace {

typedef std::vector<uint8_t> Bytes;

Item item_at(int index) { return static_cast<Item>(index); }

Bytes block_of(const Calibration& calibration) {
  Bytes bytes;
  for (uint16_t i = 0; i < Calibration::BLOCK_BYTES; ++i) bytes.push_back(calibration.block_byte(i));
  return bytes;
}

uint8_t read_byte(void* context, uint16_t index) { return static_cast<Bytes*>(context)->at(index); }

bool load(Calibration& calibration, Bytes bytes) { return calibration.load(read_byte, &bytes); }

void seal(Bytes& bytes) {
  const uint16_t crc = crc16(bytes.data(), static_cast<uint16_t>(bytes.size() - 2));
  bytes[bytes.size() - 2] = static_cast<uint8_t>(crc);
  bytes[bytes.size() - 1] = static_cast<uint8_t>(crc >> 8);
}

struct Limits {
  const char* name;
  int32_t least, nominal, most;
};
const Limits LIMITS[] = {
    {"V1G", 500000, 1000000, 2000000}, {"V3G", 500000, 1000000, 2000000}, {"V1O", -20000, 0, 20000},
    {"V3O", -20000, 0, 20000},         {"I1G", 500000, 1000000, 2000000}, {"G3G", 500000, 1000000, 2000000},
    {"I1O", -1000, 0, 1000},           {"G3O", -1000, 0, 1000},           {"I1A", -20000, 0, 20000},
    {"G3A", -20000, 0, 20000},         {"BGU", 900000, 1100000, 1300000}, {"CLK", -20000, 0, 20000},
    {"DIO", 0, 0, 2000},               {"SNR", 0, 0, 65535},
};

// Any values within their limits.
Calibration any(unsigned seed) {
  std::mt19937 random(seed);
  Calibration calibration;
  for (int item = 0; item < ITEMS; ++item) {
    std::uniform_int_distribution<int32_t> value(-20000, 2000000);
    while (!calibration.set(item_at(item), value(random))) {
    }
  }
  return calibration;
}

void check_same(const Calibration& one, const Calibration& other) {
  for (int item = 0; item < ITEMS; ++item) CHECK(one.get(item_at(item)) == other.get(item_at(item)));
}

}  // namespace

TEST_CASE("Every item has one name, and the name finds it") {
  const char* const names[] = {"V1G", "V2G", "V3G", "V1O", "V2O", "V3O", "I1G", "I2G", "I3G", "G1G",
                               "G2G", "G3G", "I1O", "I2O", "I3O", "G1O", "G2O", "G3O", "I1A", "I2A",
                               "I3A", "G1A", "G2A", "G3A", "BGU", "CLK", "DIO", "SNR"};
  REQUIRE(sizeof names / sizeof *names == ITEMS);
  for (int item = 0; item < ITEMS; ++item) {
    char name[NAME_LENGTH];
    name_of(item_at(item), name);
    CHECK(std::string(name, NAME_LENGTH) == names[item]);
    CHECK(item_named(names[item], NAME_LENGTH) == item);
  }
}

TEST_CASE("No other name finds an item") {
  for (const char* name : {"", "V", "V1", "V0G", "V4G", "v1g", "V1A", "G1", "V1GG", "XXX", "BG ", "SNRS"}) {
    CHECK(item_named(name, static_cast<uint8_t>(std::string(name).size())) == ITEMS);
  }
}

TEST_CASE("Values are taken up to their limits and not beyond") {
  Calibration calibration;
  for (const Limits& limits : LIMITS) {
    const Item item = item_named(limits.name, NAME_LENGTH);
    CHECK(calibration.get(item) == limits.nominal);
    CHECK(calibration.set(item, limits.least));
    CHECK(calibration.get(item) == limits.least);
    CHECK(calibration.set(item, limits.most));
    CHECK_FALSE(calibration.set(item, limits.most + 1));
    CHECK_FALSE(calibration.set(item, limits.least - 1));
    CHECK_FALSE(calibration.set(item, INT32_MIN));
    CHECK_FALSE(calibration.set(item, INT32_MAX));
    CHECK(calibration.get(item) == limits.most);
  }
  CHECK_FALSE(calibration.set(ITEMS, 0));
  calibration.reset();
  check_same(calibration, Calibration());
}

TEST_CASE("The block is little endian: version, values, CRC") {
  Calibration calibration;
  REQUIRE(calibration.set(VOLTAGE_OFFSET, -2));
  const Bytes bytes = block_of(calibration);
  CHECK(bytes[0] == +Calibration::BLOCK_VERSION);
  CHECK(Bytes(bytes.begin() + 1, bytes.begin() + 5) == Bytes{0x40, 0x42, 0x0F, 0x00});
  CHECK(Bytes(bytes.begin() + 13, bytes.begin() + 17) == Bytes{0xFE, 0xFF, 0xFF, 0xFF});
  Bytes sealed = bytes;
  seal(sealed);
  CHECK(sealed == bytes);
}

TEST_CASE("What is stored is loaded again") {
  for (unsigned seed = 0; seed < 50; ++seed) {
    const Calibration stored = any(seed);
    Calibration loaded;
    CHECK(load(loaded, block_of(stored)));
    check_same(loaded, stored);
  }
}

TEST_CASE("A block with any one bit or any two neighbouring bytes wrong is refused, and what stood stands") {
  const Calibration stood = any(1);
  Calibration calibration = stood;
  const Bytes sound = block_of(any(2));
  for (size_t i = 0; i < sound.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes broken = sound;
      broken[i] = static_cast<uint8_t>(broken[i] ^ 1 << bit);
      REQUIRE_FALSE(load(calibration, broken));
    }
    Bytes broken = sound;
    broken[i] = static_cast<uint8_t>(~broken[i]);
    if (i > 0) broken[i - 1] = 0xFF;
    REQUIRE_FALSE(load(calibration, broken));
  }
  check_same(calibration, stood);
}

TEST_CASE("Another version or a value beyond its limits is refused though the CRC is right") {
  const Calibration stood = any(3);
  Calibration calibration = stood;
  Bytes other_version = block_of(any(4));
  other_version[0] = Calibration::BLOCK_VERSION + 1;
  seal(other_version);
  CHECK_FALSE(load(calibration, other_version));

  for (int item = 0; item < ITEMS; ++item) {
    Bytes beyond = block_of(any(4));
    beyond[static_cast<size_t>(4 * item + 4)] = 0x7F;
    seal(beyond);
    CHECK_FALSE(load(calibration, beyond));
  }
  check_same(calibration, stood);
}

TEST_CASE("An EEPROM that was never written is no calibration") {
  Calibration calibration;
  CHECK_FALSE(load(calibration, Bytes(Calibration::BLOCK_BYTES, 0xFF)));
  CHECK_FALSE(load(calibration, Bytes(Calibration::BLOCK_BYTES, 0x00)));
}
