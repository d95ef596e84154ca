#pragma once

#include <span>
#include <string>
#include <vector>

namespace qaq::gpu_check {

struct Options {
  bool help = false;
  bool quick = false;  ///< small cases
  bool shim = false;   ///< on the host: small cases, and no times, for they mean nothing
  std::string only;    ///< one step; empty: all
  std::string data = "tests/data";
  std::string oracle = "build-gpu/oracle";
  std::string slice = ".gpu/model";                   ///< of a real model, where it travelled
  std::string model = "build-gpu/smollm2-135m.gguf";  ///< a whole one, where its parts were joined
  std::string out;     ///< folder of gpu_check.json and taps/; empty: none is written
  std::string commit;  ///< for builds that do not know theirs

  bool small() const { return quick || shim; }
};

/// Throws Error{usage} for what is not an option, or a step that is not among `steps`.
Options parse_options(std::span<const char* const> arguments,
                      const std::vector<std::string>& steps);

std::string usage_text(const std::vector<std::string>& steps);

}  // namespace qaq::gpu_check
