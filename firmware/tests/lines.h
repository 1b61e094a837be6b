// For tests of the serial line: the lines that the house's tests read too, and a look at text.
#pragma once

#include <doctest/doctest.h>
#include <regex.h>  // std::regex does not compile without warnings under the sanitizers

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "../core/crc.h"

#ifndef GOLDEN_PACKETS
#define GOLDEN_PACKETS "../tests/unit/wire/golden_packets.txt"  // from firmware/, where make runs the tests
#endif

inline std::vector<std::string> golden_lines() {
  std::ifstream file(GOLDEN_PACKETS);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  REQUIRE_FALSE(lines.empty());
  return lines;
}

inline bool begins_with(const std::string& text, const std::string& with) {
  return text.compare(0, with.size(), with) == 0;
}

// The text, '*' and its checksum.
inline std::string with_checksum(const std::string& text) {
  char checksum[8];
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  std::snprintf(checksum, sizeof checksum, "*%04X", meter::crc16(bytes, static_cast<uint16_t>(text.size())));
  return text + checksum;
}

// An extended regular expression, for all of a text.
class Pattern {
 public:
  explicit Pattern(const std::string& pattern) {
    REQUIRE(regcomp(&compiled_, ("^(" + pattern + ")$").c_str(), REG_EXTENDED | REG_NOSUB) == 0);
  }
  ~Pattern() { regfree(&compiled_); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool matches(const std::string& text) const {
    if (text.find('\0') != std::string::npos) return false;  // where a C string would end
    return regexec(&compiled_, text.c_str(), 0, nullptr, 0) == 0;
  }

 private:
  regex_t compiled_;
};
