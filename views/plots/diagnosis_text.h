#pragma once

#include <QString>

#include "views/models/diagnosis_service.h"

namespace qaq::views {

// How a diagnosis is told, in the views and panels that show it.

/// A token by its id: "“ about”".
QString tokenText(const DiagnosisResult& result, std::int32_t id);
/// The token that a step read, with its position: "“ were” 64".
QString readText(const DiagnosisResult& result, const DiagnosedStep& step);
/// "expected “ a” (margin 0.52), got “ about”".
QString changeText(const DiagnosisResult& result, const DiagnosedStep& step);
/// "step 0" or, where the explained step is the first that diverged, "first divergence: step 0".
QString explainedText(const DiagnosisResult& result);
/// What became of a step, with its sign: "▲ diverged", "○ coin-flip".
QString verdictText(const DiagnosisResult& result, int step);
/// "V · L23 · KVH0 · token 14".
QString cellText(const CellAddress& cell);
/// The setting that it was made with, by what differs from the defaults.
QString settingText(const DiagnosisResult& result);
/// Some sentences: what broke, where, and how sure that is.
QString summaryText(const DiagnosisResult& result);

}  // namespace qaq::views
