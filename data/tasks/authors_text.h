#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qaq {

/// The texts of the QAQ authors' `qa_dataset.py`, quirks included, from the fields of the original
/// files. All arguments are valid UTF-8.

/// HellaSwag's cleaning, in this order: white space off both ends; " [title]" becomes ". ";
/// everything in [brackets] goes; two spaces become one, in one pass. Since white space goes first,
/// a text that begins with "[step] " keeps a leading space.
std::string hellaswag_text(std::string_view text);
/// hellaswag_text(activity_label: ctx_a Ctx_b), where ctx_b is capitalized as Python does it: its
/// first letter upper case, *all others lower case* (by Unicode's simple mappings: the few letters
/// that change into several stay one).
std::string hellaswag_question(std::string_view activity_label, std::string_view ctx_a,
                               std::string_view ctx_b);

/// "Question: " goal "\nAnswer:": PIQA, and MathQA with its problem.
std::string question_and_answer(std::string_view text);

/// MathQA's options: the matches of `[abcd] \) .*?, |e \) .*?$`, less four characters and the
/// spaces and commas at the end. What does not match is left out, as in the authors' code.
std::vector<std::string> mathqa_choices(std::string_view options);

}  // namespace qaq
