#pragma once

#include <QWidget>
#include <memory>
#include <vector>

#include "views/models/derived.h"
#include "views/models/window_services.h"
#include "views/plots/theme.h"

class QGridLayout;
class QLabel;

namespace qaq::views {

class ActionCard;
class RecentList;
class SampleCard;
struct SamplePicture;

/// What the window shows while no capture is open: the commands that lead to one, the bundled
/// samples with pictures made from them, the files opened last, and why the last file was refused.
/// What the program does not offer is left out.
class StartPage : public QWidget {
  Q_OBJECT

 public:
  explicit StartPage(const WindowServices& services = {}, QWidget* parent = nullptr);
  ~StartPage() override;

  void setLoading(const QString& path);
  void setError(const QString& line);
  void setTheme(const Theme& theme);
  QString errorText() const;
  /// The recent files are read again.
  void refresh();
  /// The samples' pictures are drawn, or nobody sees them.
  bool isSettled() const;
  const std::vector<SampleCard*>& samples() const { return m_samples; }

 signals:
  void openRequested();
  void openSessionRequested();
  void captureRequested();
  void lessonsRequested();
  void sampleRequested(const qaq::views::Sample& sample);
  /// A recent file.
  void fileRequested(const QString& path);
  void locateRequested(const QString& path);

 protected:
  void showEvent(QShowEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  ActionCard* addCard(QLayout* column, ActionCard* card);
  QWidget* makeLeft(const WindowServices& services);
  QWidget* makeSamples(const QList<Sample>& samples);
  void drawSamples();
  void showSamples(const std::vector<SamplePicture>& pictures);

  QLabel* m_title;
  QLabel* m_lead;
  QLabel* m_state;
  QLabel* m_recentTitle = nullptr;
  RecentList* m_recentList = nullptr;
  QList<QLabel*> m_headings;  ///< and whatever else is muted
  std::vector<ActionCard*> m_actions;
  std::vector<SampleCard*> m_samples;
  CaptureOpener m_opener;
  QList<Sample> m_sampleList;
  std::shared_ptr<RecentFiles> m_recent;
  Theme m_theme = Theme::of(ThemeKind::light);
  std::optional<ThemeKind> m_drawn;  ///< theme of the pictures that are there or on the way
  Derived<std::vector<SamplePicture>> m_pictures;
};

}  // namespace qaq::views
