#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/analysis/report_page.h"
#include "core/evaluate/mixed_run.h"
#include "data/models/model_file.h"

namespace qaq {

/// A prompt and what follows it, whose predictions on the quantized prompt are to be explained.
struct DiagnosedText {
  std::vector<std::int32_t> ids;
  std::int64_t n_prompt = 0;
  std::optional<std::int64_t> own_parts{};  ///< see DiagnosisOptions::own_text_parts

  std::int64_t n_following() const { return std::ssize(ids) - n_prompt; }
};

struct GreedyCall {
  std::int64_t n_generate = 32;
  bool ignore_eos = false;
  DType dtype = DType::f32;  ///< of what is put back into the cache
};

/// The prompt with the whole cache's greedy text behind it, and where the quantized cache's own
/// text leaves that. Nothing may follow where the model ends at once.
DiagnosedText greedy_text(const std::shared_ptr<const ModelFile>& model,
                          const std::vector<std::int32_t>& prompt, const QaqParams& params,
                          const GreedyCall& call, const Work& work);

/// The text run once with its whole cache, ready for replays; see MixedRun. `loading` is told of
/// the weights. Something follows the prompt.
std::unique_ptr<MixedRun> open_mixed_run(const std::shared_ptr<const ModelFile>& model,
                                         const DiagnosedText& text, DType dtype,
                                         const Work& loading, const Work& work);

/// ||b_k|| of each layer; empty where the model has no such biases.
std::vector<double> key_bias_norms(const ModelFile& model);

/// `qaq explain CAPTURE --cell ...`; `setting` are its flags.
std::string explain_command(const std::string& capture, const CellAddress& cell,
                            const std::string& setting);

/// Throws Error{usage} where a report's name ends neither in .html nor in .md.
void check_report_name(const std::string& flag, const std::string& path);
/// Writes a page by its name's ending: HTML with its pictures in it, or Markdown with its pictures
/// beside it, as their `file` says. Throws Error{work}.
void write_report(const std::string& path, const Page& page);

}  // namespace qaq
