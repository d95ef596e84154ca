#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <QStringList>
#include <array>
#include <cstdint>
#include <optional>

#include "core/analysis/scope_params.h"
#include "views/models/slice.h"

namespace qaq::views {

/// What the window keeps from one run to the next: what it fills when it is asked for a session,
/// and what it becomes when one is opened. Files are the program's business. Layers are the
/// model's, not indices of captured ones: another capture may be found in the place of the first.
struct SessionState {
  /// Rows of views by their ids.
  struct Page {
    QString title;
    QList<QStringList> rows;

    friend bool operator==(const Page&, const Page&) = default;
  };
  /// A setting that was given a name.
  struct Run {
    QString name;
    ScopeParams params;
    std::int64_t prefix = 0;  ///< tokens; 0: all
  };
  /// A named set of tokens, by their positions; with `boxes` of cells where not all layers and KV
  /// heads are meant: first and last token, first and last row of the capture's cells.
  struct TokenSet {
    QString name;
    QList<int> tokens;
    QList<std::array<int, 4>> boxes{};

    friend bool operator==(const TokenSet&, const TokenSet&) = default;
  };
  /// What the setting that is shown is held against.
  struct Reference {
    QString kind;  ///< "setting", "whole" or "shown": see views/models/reference.h
    QString label;
    QString capture;  ///< path; empty: the open one
    ScopeParams params;
    std::int64_t prefix = 0;
  };
  struct Annotation {
    Cursor cell;
    QString text;

    friend bool operator==(const Annotation&, const Annotation&) = default;
  };

  QString capture{};  ///< path of the one that is open; empty: none
  ScopeParams params{};
  std::int64_t prefix = 0;
  std::optional<Slice> slice{};
  std::optional<Cursor> lock{};
  QList<Run> runs{};
  std::optional<Reference> reference{};
  QList<Page> pages{};  ///< empty: the built-in ones
  int page = 0;         ///< the one in front
  QJsonObject views{};  ///< what each view keeps (ranges, choices) by its id
  QByteArray layout{};  ///< of docks and toolbars; empty: as it is
  QList<TokenSet> slices{};
  QList<Cursor> pins{};
  QList<Annotation> annotations{};
  /// The file as it was read: what the window does not know of it is written again. Opaque here.
  QByteArray document{};
  QString origin{};  ///< the file that `document` is of
};

}  // namespace qaq::views
