#include <doctest/doctest.h>

#include "../core/clock.h"

using namespace meter;

TEST_CASE("clock: time since the start, whatever the count was then") {
  Clock clock(0xFFFFFF00u);
  CHECK(clock.uptime_ms() == 0);
  clock.tick(0xFFFFFFFFu);
  CHECK(clock.uptime_ms() == 0xFF);
  clock.tick(0);  // here the count wraps
  CHECK(clock.uptime_ms() == 0x100);
  clock.tick(0);
  CHECK(clock.uptime_ms() == 0x100);
}

TEST_CASE("clock: goes on over a hundred wraps, with ticks up to 24 days apart") {
  const uint32_t step_ms = 24u * 86400u * 1000u;
  Clock clock(123);
  uint32_t count = 123;
  for (uint64_t n = 1; n <= 208; ++n) {  // 13.7 years
    count += step_ms;
    clock.tick(count);
    REQUIRE(clock.uptime_ms() == n * step_ms);
  }
  CHECK(clock.uptime_ms() > 100 * 0x100000000u);
}
