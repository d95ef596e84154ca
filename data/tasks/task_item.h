#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qaq {

/// One multiple-choice question, after the authors' preprocessing: what is asked is
/// question + " " + choice.
struct TaskItem {
  std::string id;
  std::string question;
  std::vector<std::string> choices;  ///< two at least, none empty
  std::int32_t answer = 0;           ///< 0-based index of the right choice
};

/// A task file as it was read.
struct Task {
  std::string name;  ///< "hellaswag", "piqa", "mathqa", what the records say, or the file's name
  std::vector<TaskItem> items;  ///< in the file's order; one at least
};

}  // namespace qaq
