#pragma once

#include "views/commands/overlay_panel.h"
#include "views/commands/palette_model.h"

class QLineEdit;
class QListView;

namespace qaq::views {

class PaletteDelegate;

/// The palette: type what you want, the arrow keys choose, Enter does it, Tab writes it out.
class CommandPalette : public OverlayPanel {
  Q_OBJECT

 public:
  CommandPalette(CommandRegistry* registry, PaletteSearch search, QWidget* window);

  /// Opens with `query` typed.
  void ask(const QString& query = {});
  void setQuery(const QString& query);
  QString query() const;
  const QList<PaletteEntry>& entries() const { return m_model->entries(); }
  /// What Enter would run; -1: nothing fits.
  int currentRow() const;
  void setTheme(const Theme& theme) override;

 protected:
  QSize wantedSize() const override;
  QWidget* firstFocus() override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void search(const QString& query);
  void move(int by);
  /// Writes the current entry out; false where it is written already.
  bool complete();
  void run();

  CommandRegistry* m_registry;
  PaletteSearch m_search;
  QLineEdit* m_edit;
  QListView* m_list;
  QLabel* m_nothing;
  PaletteModel* m_model;
  PaletteDelegate* m_delegate;
};

}  // namespace qaq::views
