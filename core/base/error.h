#pragma once

#include <exception>
#include <string>

namespace qaq {

/// Why work stopped. The programs turn it into their exit code; libraries never exit.
enum class ErrorKind {
  work = 1,         ///< the work failed (disk full, no memory, no such device)
  usage = 2,        ///< a wrong flag or parameter value
  input = 3,        ///< a file or text was refused
  interrupted = 4,  ///< somebody asked for the work to stop
};

/// The exit code of a program that such an error ends (of an interruption, unless the signal is
/// known).
constexpr int exit_code(ErrorKind kind) {
  return kind == ErrorKind::interrupted ? 130 : static_cast<int>(kind);
}

/// The parts of an error line `FILE: PLACE: WHAT; CURE`. Empty parts are left out.
struct ErrorText {
  std::string file{};   ///< the file or flag it is about, as the user named it
  std::string place{};  ///< byte offset, metadata key, tensor, JSON path or HDF5 path
  std::string what{};   ///< what is wrong, without a full stop
  std::string cure{};   ///< what the user can do about it
};

/// The one exception type of the libraries. what() is a single line.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, ErrorText text);

  ErrorKind kind() const { return kind_; }
  const ErrorText& text() const { return text_; }
  const char* what() const noexcept override { return line_.c_str(); }

  /// The same error, about `file`, where it names no file yet.
  Error with_file(const std::string& file) const;

 private:
  ErrorKind kind_;
  ErrorText text_;
  std::string line_;
};

/// An input was refused: exit code 3.
[[noreturn]] void refuse_input(ErrorText text);
/// A flag or parameter is wrong: exit code 2.
[[noreturn]] void refuse_usage(ErrorText text);

}  // namespace qaq
