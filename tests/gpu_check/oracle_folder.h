#pragma once

#include <map>
#include <string>

#include "tests/gpu_check/npy.h"

namespace qaq::gpu_check {

/// Reference arrays as oracle.py leaves them: index.json says in which .npy file each lies.
class OracleFolder {
 public:
  /// Throws Error{input}.
  explicit OracleFolder(const std::string& folder);

  /// `file`: a forward file's name in tests/data/oracle, without its ending.
  bool has(const std::string& file, const std::string& name) const;
  NpyArray read(const std::string& file, const std::string& name) const;

 private:
  std::string folder_;
  std::map<std::string, std::map<std::string, std::string>> files_;
};

}  // namespace qaq::gpu_check
