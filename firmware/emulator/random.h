// Random numbers that are the same on every machine for the same seed.
#pragma once

#include <cmath>
#include <cstdint>

namespace emulator {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t bits() {  // SplitMix64
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // -1 … 1
  double even() { return static_cast<double>(static_cast<int64_t>(bits()) >> 11) * 0x1p-52; }

  // Normally distributed, of variance 1 (Marsaglia's polar method).
  double normal() {
    if (spare_known_) {
      spare_known_ = false;
      return spare_;
    }
    double x, y, square;
    do {
      x = even();
      y = even();
      square = x * x + y * y;
    } while (square >= 1 || square == 0);
    const double scale = std::sqrt(-2 * std::log(square) / square);
    spare_ = y * scale;
    spare_known_ = true;
    return x * scale;
  }

 private:
  uint64_t state_;
  double spare_ = 0;
  bool spare_known_ = false;
};

}  // namespace emulator
