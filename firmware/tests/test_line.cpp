#include <doctest/doctest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "../core/line.h"
#include "lines.h"

using namespace meter;

namespace {

// What became of a line, as text that tests can compare: "FAULT", or the command.
std::string told(const Command& command) {
  const std::string item = std::to_string(static_cast<int>(command.item));
  switch (command.kind) {
    case RAISE: return "raise " + std::to_string(command.id) + " " + std::to_string(command.width_ms);
    case LOWER: return "lower " + std::to_string(command.id) + " " + std::to_string(command.width_ms);
    case CAL_SET: return "set " + item + " " + std::to_string(command.value);
    case CAL_GET: return "get " + item;
    default: return "save";
  }
}

std::vector<std::string> feed(LineReader& reader, const std::string& bytes) {
  std::vector<std::string> results;
  for (char byte : bytes) {
    Command command = Command();
    const LineResult result = reader.feed(byte, command);
    if (result == FAULT) results.push_back("FAULT");
    if (result == COMMAND) results.push_back(told(command));
  }
  return results;
}

typedef std::vector<std::string> Results;

// The line as it is, read by a reader that has read nothing.
std::string read(const std::string& line) {
  LineReader reader;
  const Results results = feed(reader, line + "\r\n");
  if (results.empty()) return "";
  REQUIRE(results.size() == 1);
  return results[0];
}

std::string read_sound(const std::string& text) { return read(with_checksum(text)); }

}  // namespace

TEST_CASE("line: golden commands are read") {
  int commands = 0;
  for (const std::string& line : golden_lines()) {
    if (line[0] == '$') continue;
    CAPTURE(line);
    CHECK(read(line) != "FAULT");
    CHECK(read(line) != "");
    ++commands;
  }
  CHECK(commands >= 2);
  CHECK(read("RAISE,12,400*7085") == "raise 12 400");
  CHECK(read("LOWER,4294967295,60000*3EC1") == "lower 4294967295 60000");
}

TEST_CASE("line: pulses within their limits") {
  CHECK(read_sound("RAISE,1,1") == "raise 1 1");
  CHECK(read_sound("RAISE,10,59999") == "raise 10 59999");
  const char* const wrongs[] = {
      "RAISE,0,1", "RAISE,1,0", "RAISE,4294967296,1", "RAISE,9999999999,1", "RAISE,1,60001", "RAISE,1,65536",
      "RAISE,1,99999", "RAISE,42949672951,1", "LOWER,1,4294967297",
  };
  for (const char* text : wrongs) {
    CAPTURE(text);
    CHECK(read_sound(text) == "FAULT");
  }
}

TEST_CASE("line: a number has one spelling, and a command no more than its fields") {
  const char* const wrongs[] = {
      "RAISE,+1,1", "RAISE,01,1", "RAISE,1,01", "RAISE, 1,1", "RAISE,1 ,1", "RAISE,1,1 ", " RAISE,1,1",
      "RAISE,-1,1", "RAISE,1,-1", "RAISE,1.0,1", "RAISE,1e1,1", "RAISE,0x1,1", "RAISE,,1", "RAISE,1,",
      "RAISE,1", "RAISE,", "RAISE", "", "raise,1,1", "RAISE,1,1,", "RAISE,1,1,1", "RAISES,1,1", "LOWER,1,1*",
      "LOWER*1,1", "MTR,1,1", "CAL", "CAL,", "CAL,V1", "CAL,V1GG", "CAL,v1g", "CAL,V4G", "CAL,V1G,",
      "CAL,V1G,+1", "CAL,V1G,01", "CAL,V1G,-0", "CAL,V1G,00", "CAL,V1G,--1", "CAL,V1G,-", "CAL,V1G, 1",
      "CAL,V1G,1.0", "CAL,V1G,1,1", "CAL,V1G,2147483648", "CAL,V1G,-2147483649", "CAL,V1G,4294967296",
      "CAL,V1G,9999999999", "CAL,SAVED", "CAL,SAVE,", "CAL,SAVE,1", "CAL,SAV", "cal,SAVE",
  };
  for (const char* text : wrongs) {
    CAPTURE(text);
    CHECK(read_sound(text) == "FAULT");
  }
}

TEST_CASE("line: calibration is asked, set and saved") {
  CHECK(read_sound("CAL,SAVE") == "save");
  for (uint8_t item = 0; item < ITEMS; ++item) {
    char name[NAME_LENGTH];
    name_of(static_cast<Item>(item), name);
    const std::string get = "CAL," + std::string(name, NAME_LENGTH), number = std::to_string(item);
    CHECK(read_sound(get) == "get " + number);
    for (const char* value : {"0", "1", "-1", "1000000", "2147483647", "-2147483648"}) {
      CHECK(read_sound(get + "," + value) == "set " + number + " " + value);
    }
  }
}

TEST_CASE("line: any byte that is wrong is seen") {
  const std::string line = "LOWER,77,1500";
  const std::string whole = with_checksum(line);
  for (size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte <= 0xFF; ++byte) {
      std::string wrong = whole;
      wrong[at] = static_cast<char>(byte);
      if (wrong == whole || byte == '\n') continue;
      REQUIRE(read(wrong) == "FAULT");
    }
  }
  for (size_t length = 1; length < whole.size(); ++length) REQUIRE(read(whole.substr(0, length)) == "FAULT");
  CHECK(read("LOWER,77,1500*" + whole.substr(14, 3)) == "FAULT");
  CHECK(read("RAISE,12,400*708") == "FAULT");
  CHECK(read("RAISE,12,400*70850") == "FAULT");
  CHECK(read("CAL,SAVE*" + with_checksum("CAL,SAVE").substr(9) + " ") == "FAULT");
}

TEST_CASE("line: a checksum in small letters is none") {
  CHECK(read("LOWER,4294967295,60000*3EC1") != "FAULT");
  CHECK(read("LOWER,4294967295,60000*3ec1") == "FAULT");
}

TEST_CASE("line: ends with LF or CRLF; an empty one is nothing") {
  LineReader reader;
  const std::string raise = "RAISE,12,400*7085";
  CHECK(feed(reader, raise + "\n") == Results{"raise 12 400"});
  CHECK(feed(reader, raise + "\r\n") == Results{"raise 12 400"});
  CHECK(feed(reader, "\n\r\n\n\r\n").empty());
  CHECK(feed(reader, raise + "\r\r\n") == Results{"FAULT"});
  CHECK(feed(reader, "\r" + raise + "\n") == Results{"FAULT"});
  CHECK(feed(reader, raise + "\n") == Results{"raise 12 400"});
}

TEST_CASE("line: whatever is wrong with a line is one fault, and the next is read") {
  const std::string raise = "RAISE,12,400*7085\r\n";
  const std::string zeros(5, '\0');
  const std::string wrongs[] = {
      std::string("RAISE,12,40"), std::string("*"), std::string("*7085"), zeros, zeros + raise.substr(0, 17),
      std::string("\xFF\x80\xC3"), std::string(MAX_LINE - 1, 'A'), std::string(MAX_LINE, 'A'),
      std::string(MAX_LINE + 1, 'A'), std::string(5000, '*'), std::string("$MTR,1,7*E81D"),
      std::string("\r\r"),
  };
  for (const std::string& wrong : wrongs) {
    LineReader reader;
    CHECK(feed(reader, wrong + "\n" + raise) == Results{"FAULT", "raise 12 400"});
  }
}

TEST_CASE("line: a command is left alone but by a command") {
  LineReader reader;
  Command command = Command();
  command.id = 99;
  for (char byte : std::string("RAISE,12,401*7085\n")) reader.feed(byte, command);
  CHECK(command.id == 99);
}

namespace {

// The grammar once more, by other means.
std::string expected_of(const std::string& line) {
  static const Pattern pulse("(RAISE|LOWER),[1-9][0-9]{0,9},[1-9][0-9]{0,4}\\*[0-9A-F]{4}");
  static const Pattern calibration("CAL,(SAVE|[A-Z0-9]{3}(,(0|-?[1-9][0-9]{0,9}))?)\\*[0-9A-F]{4}");
  const size_t star = line.rfind('*');
  if (star == std::string::npos || line != with_checksum(line.substr(0, star))) return "FAULT";
  if (pulse.matches(line)) {
    const size_t comma = line.find(',', 6);
    const unsigned long long id = std::strtoull(line.c_str() + 6, nullptr, 10);
    const unsigned long long width = std::strtoull(line.c_str() + comma + 1, nullptr, 10);
    if (id > 0xFFFFFFFFu || width > 60000) return "FAULT";
    return (line[0] == 'R' ? "raise " : "lower ") + std::to_string(id) + " " + std::to_string(width);
  }
  if (!calibration.matches(line)) return "FAULT";
  if (begins_with(line, "CAL,SAVE")) return "save";
  const Item item = item_named(line.data() + 4, NAME_LENGTH);
  if (item == ITEMS) return "FAULT";
  if (line[7] == '*') return "get " + std::to_string(static_cast<int>(item));
  const long long value = std::strtoll(line.c_str() + 8, nullptr, 10);
  if (value != static_cast<int32_t>(value)) return "FAULT";
  return "set " + std::to_string(static_cast<int>(item)) + " " + std::to_string(value);
}

Results expected_of_all(const std::string& bytes) {
  Results results;
  for (size_t begin = 0, end; (end = bytes.find('\n', begin)) != std::string::npos; begin = end + 1) {
    std::string line = bytes.substr(begin, end - begin);
    const bool overlong = line.size() > MAX_LINE;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (overlong) {
      results.push_back("FAULT");
    } else if (!line.empty()) {
      results.push_back(expected_of(line));
    }
  }
  return results;
}

std::string any_number(std::mt19937& random) {
  switch (random() % 6) {
    case 0: return "0";
    case 1: return std::to_string(random() % 70000);
    case 2: return std::to_string(4294967290u + random() % 12);
    case 3: return std::to_string(2147483640u + random() % 16);
    case 4: return "-" + std::to_string(2147483640u + random() % 16);
    default: return (random() % 4 == 0 ? "-" : "") + std::to_string(random() >> random() % 32);
  }
}

std::string any_text(std::mt19937& random) {
  static const char* const names[] = {"V1G", "I3O", "G2A", "BGU", "CLK", "SNR", "V4G", "XXX", "SAVE", "SAVE"};
  switch (random() % 5) {
    case 0: return "RAISE," + any_number(random) + "," + std::to_string(random() % 70000);
    case 1: return "LOWER," + any_number(random) + "," + std::to_string(random() % 70000);
    case 2: return std::string("CAL,") + names[random() % 10];
    case 3: return std::string("CAL,") + names[random() % 8] + "," + any_number(random);
    default: break;
  }
  std::string text;
  for (size_t left = random() % 40; left > 0; --left) text += static_cast<char>(random());
  return text;
}

void mutate(std::mt19937& random, std::string& text) {
  static const char likely[] = "0123456789,*+- \r\nAELORSIW";
  const size_t at = random() % (text.size() + 1);
  const char byte = random() % 2 == 0 ? likely[random() % (sizeof likely - 1)] : static_cast<char>(random());
  switch (random() % 5) {
    case 0: text.insert(at, 1, byte); break;
    case 1: text.erase(at, 1 + random() % 3); break;
    case 2: text.insert(at, text, 0, random() % 40); break;
    case 3: text.resize(at); break;
    default:
      if (at < text.size()) text[at] = byte;
  }
}

}  // namespace

TEST_CASE("line: of any bytes exactly those lines are obeyed whose checksum and grammar are right") {
  std::mt19937 random(5);
  LineReader reader;
  int lines = 0, commands = 0;
  while (lines < 200000) {
    std::string bytes = any_text(random);
    if (random() % 3 == 0) mutate(random, bytes);
    if (random() % 20 != 0) bytes = with_checksum(bytes);
    if (random() % 4 == 0) mutate(random, bytes);
    bytes += random() % 2 == 0 ? "\r\n" : "\n";
    const Results results = feed(reader, bytes);
    CAPTURE(bytes);
    REQUIRE(results == expected_of_all(bytes));
    ++lines;
    for (const std::string& result : results) commands += result != "FAULT" ? 1 : 0;
  }
  CHECK(commands > 20000);
  CHECK(commands < 150000);
}
