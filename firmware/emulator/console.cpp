#include "console.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace emulator {
namespace {

constexpr uint64_t SLICE_US = 1000;          // how often the pseudo-terminal and signals are looked at
constexpr uint64_t LONGEST_RUN_US = 86400000000;
constexpr size_t FLUSH_BYTES = 1 << 16;
constexpr size_t KEPT_BYTES = 1 << 20;       // of events that nobody asks for
const char* const OUTPUT_NAME[OUTPUTS] = {"raise", "lower", "mux"};
const char* const RESET_NAME[] = {"power", "brownout", "external", "watchdog"};

std::string hex(const std::vector<uint8_t>& bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// False if the text is not hex digits in pairs.
bool unhex(const std::string& text, std::vector<uint8_t>& bytes) {
  if (text.empty() || text.size() % 2 || text.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return false;
  for (size_t i = 0; i < text.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::strtoul(text.substr(i, 2).c_str(), nullptr, 16)));
  return true;
}

// False unless the next word is a whole number up to `most`.
bool number(std::istringstream& words, uint64_t most, uint64_t& value) {
  std::string word;
  words >> word;
  if (word.empty() || word.size() > 12 || word.find_first_not_of("0123456789") != std::string::npos) return false;
  value = std::strtoull(word.c_str(), nullptr, 10);
  return value <= most;
}

}  // namespace

Console::Console(const Options& options, const volatile sig_atomic_t& told_to_end)
    : options_(options), told_to_end_(told_to_end), front_end_(options.profile, options.seed, options.noise) {
  ChipEvents events;
  events.sent = [this](uint64_t us, uint8_t byte) {
    if (pty_)
      pty_->write(byte);
    else
      event("tx " + std::to_string(us) + " " + hex({byte}));
  };
  events.pin = [this](uint64_t us, Output output, bool high) {
    event(std::string("pin ") + OUTPUT_NAME[output] + " " + std::to_string(us) + (high ? " 1" : " 0"));
  };
  events.fault = [this](const std::string& text) { event("fault " + text); };
  chip_ = std::make_unique<Chip>(options.elf_path, front_end_, options.seed, events);
  load_eeprom();
  if (!options.pty) return;
  pty_ = std::make_unique<Pty>();
  std::printf("port %s\n", pty_->name().c_str());
  std::fflush(stdout);
}

void Console::load_eeprom() {
  std::ifstream file(options_.eeprom_path, std::ios::binary);
  if (options_.eeprom_path.empty() || !file) return;  // a new chip
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() != chip_->eeprom().size())
    throw std::runtime_error(options_.eeprom_path + " does not have as many bytes as the chip's EEPROM.");
  chip_->poke_eeprom(0, bytes);
}

void Console::save_eeprom() const {
  if (options_.eeprom_path.empty()) return;
  const std::vector<uint8_t> bytes = chip_->eeprom();
  std::ofstream file(options_.eeprom_path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(options_.eeprom_path + " cannot be written.");
}

void Console::event(const std::string& line) {
  if (options_.realtime && out_.size() > KEPT_BYTES) out_.erase(0, out_.find('\n', KEPT_BYTES / 2) + 1);
  out_ += line + "\n";
  if (!options_.realtime && out_.size() > FLUSH_BYTES) flush();
}

void Console::flush() {
  std::fwrite(out_.data(), 1, out_.size(), stdout);
  std::fflush(stdout);
  out_.clear();
}

bool Console::run_until(uint64_t us) {
  while (now_us_ < us && !crashed_ && !told_to_end_) {
    uint8_t bytes[64];
    if (pty_ && !chip_->uart().waiting()) chip_->uart().receive(bytes, pty_->read(bytes, sizeof bytes));
    now_us_ = std::min(us, now_us_ + SLICE_US);
    crashed_ = !chip_->run_until(now_us_);
  }
  return !crashed_;
}

bool Console::command(const std::string& line) {
  std::istringstream words(line);
  std::string name, too_much;
  words >> name;
  if (name.empty()) return true;
  std::string wrong = obey(name, words);
  if (wrong.empty() && words >> too_much) wrong = name + " takes no " + too_much;
  event(wrong.empty() ? "ok " + std::to_string(now_us_) : "error " + wrong);
  flush();
  return running_ && !crashed_;
}

// Returns what is wrong, or nothing.
std::string Console::obey(const std::string& name, std::istringstream& words) {
  if (name == "set") return set(words);
  if (name == "run") return run(words);
  if (name == "rx") return receive(words);
  if (name == "reset") return reset(words);
  if (name == "poke-eeprom") return poke(words);
  if (name == "eeprom") {
    event("eeprom " + hex(chip_->eeprom()));
  } else if (name == "truth") {
    const Truth truth = front_end_.truth();
    char text[100];
    std::snprintf(text, sizeof text, "truth %.4f %.4f %.4f", truth.import_ws, truth.export_ws, truth.generation_ws);
    event(text);
  } else if (name == "probe") {
    std::string volts = "probe";
    for (int i = 0; i < CHANNELS; i++) {
      const Side side = i < 2 * PHASES ? TIE : GENERATOR;
      volts += " " + std::to_string(front_end_.pin_v(i < 2 * PHASES ? i : i - PHASES, side));
    }
    event(volts);
  } else if (name == "stack") {
    event("stack " + std::to_string(chip_->stack_headroom()));
  } else if (name == "save") {
    if (options_.eeprom_path.empty()) return "no --eeprom file was given";
    save_eeprom();
  } else if (name == "quit") {
    running_ = false;
  } else {
    return "there is no command " + name;
  }
  return "";
}

std::string Console::set(std::istringstream& words) {
  Settings changed = settings_;
  std::string key, value;
  while (words >> key) {
    value.clear();
    words >> value;
    const std::string wrong = change(changed, key, value);
    if (!wrong.empty()) return wrong;
  }
  words.clear();  // its end was meant
  settings_ = changed;
  front_end_.apply(settings_);
  for (int side = 0; side < SIDES; side++)
    chip_->contact(static_cast<Side>(side), settings_.contact_closed[side]);
  return "";
}

std::string Console::run(std::istringstream& words) {
  uint64_t us;
  if (!number(words, LONGEST_RUN_US, us)) return "run takes microseconds, a day at most";
  if (options_.realtime) return "it runs already, in real time";
  run_until(now_us_ + us);
  return crashed_ ? "the chip has crashed" : "";
}

std::string Console::receive(std::istringstream& words) {
  std::string text;
  std::vector<uint8_t> bytes;
  words >> text;
  if (!unhex(text, bytes)) return "rx takes pairs of hex digits";
  chip_->uart().receive(bytes.data(), bytes.size());
  return "";
}

std::string Console::reset(std::istringstream& words) {
  std::string kind;
  words >> kind;
  for (int i = 0; i < 4; i++)
    if (kind == RESET_NAME[i]) {
      chip_->reset(static_cast<ResetKind>(i));
      return "";
    }
  return "reset takes power, brownout, external or watchdog";
}

std::string Console::poke(std::istringstream& words) {
  uint64_t address;
  std::string text;
  std::vector<uint8_t> bytes;
  if (!number(words, 1023, address) || !(words >> text) || !unhex(text, bytes))
    return "poke-eeprom takes an address, 0 to 1023, and pairs of hex digits";
  chip_->poke_eeprom(address, bytes);
  return "";
}

}  // namespace emulator
