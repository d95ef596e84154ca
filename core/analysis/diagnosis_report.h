#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/analysis/report_page.h"

namespace qaq {

/// What a diagnosis is of, for people. Texts may hold anything: writers escape them.
struct DiagnosisSubject {
  std::string model;
  std::string prompt;
  std::function<std::string(std::int32_t)> token_text;  ///< of an id
  std::vector<std::string> commands;                    ///< that make the same again
};

/// KL (nat) to three decimals, "<0.001" where that would be nothing.
std::string kl_text(double kl);
/// A token in quotation marks, line breaks as ⏎; a space before it stays.
std::string quoted_token(const DiagnosisSubject& subject, std::int32_t id);

/// What the diagnosis comes to: the step, and its cause.
std::string diagnosis_summary(const Diagnosis& diagnosis, const DiagnosisSubject& subject);

/// The same in some lines: summary, step, place, causes.
std::vector<std::string> diagnosis_lines(const Diagnosis& diagnosis,
                                         const DiagnosisSubject& subject);

/// The report: prompt, settings, first divergence, ranked causes with the KL before and after, the
/// pictures, the commands.
Page diagnosis_page(const Diagnosis& diagnosis, const DiagnosisSubject& subject,
                    std::vector<PagePicture> pictures);

/// All of it, with every replay.
nlohmann::ordered_json diagnosis_json(const Diagnosis& diagnosis, const DiagnosisSubject& subject);

}  // namespace qaq
