#pragma once

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/evaluate/item_result.h"

namespace qaq::cli {

/// What to do with a file of finished items of another evaluation.
enum class OtherItems { refuse, begin_anew };

/// A file of finished items, one JSON line each behind a line that says what they are of. An
/// evaluation that was cut off goes on behind its last whole line.
class ItemLog {
 public:
  /// Opens `path`, or makes it. `made_with` is everything that items depend on, the list of
  /// settings among it. Throws Error{input} naming line and key where the file was made with
  /// something else (unless that is to begin anew) or is broken before its last line; Error{work}
  /// where it cannot be written.
  ItemLog(std::string path, const nlohmann::ordered_json& made_with,
          OtherItems others = OtherItems::refuse);

  const std::string& path() const { return path_; }
  /// What was finished before, in order.
  const std::vector<ItemResult>& finished() const { return finished_; }
  /// Throws Error{input} where the i-th finished item has another id or answer.
  void require(std::size_t i, const std::string& id, std::int32_t answer) const;
  /// Adds an item and hands it to the system. Throws Error{work}.
  void append(const ItemResult& item);

 private:
  void read(const nlohmann::ordered_json& header, OtherItems others);
  void write_line(const nlohmann::ordered_json& json);

  std::string path_;
  std::vector<ItemResult> finished_;
  std::ofstream out_;
};

}  // namespace qaq::cli
