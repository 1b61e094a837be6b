// A pseudo-terminal whose other end a program opens like any serial port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace emulator {

class Pty {
 public:
  // Throws std::runtime_error with a sentence.
  Pty();
  ~Pty();
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  const std::string& name() const { return name_; }
  // Like a wire: what nobody takes is lost. Never waits.
  void write(uint8_t byte);
  // What has come, at most `room` bytes. Never waits.
  size_t read(uint8_t* bytes, size_t room);

 private:
  bool opened() const;

  int master_;
  std::string name_;
};

}  // namespace emulator
