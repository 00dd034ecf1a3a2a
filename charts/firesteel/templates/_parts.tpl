{{- define "firesteel.labels" -}}
app.kubernetes.io/name: firesteel
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "firesteel.operator" -}}
{{ .Release.Name }}-operator
{{- end }}

{{- define "firesteel.s3" -}}
{{ .Release.Name }}-s3
{{- end }}

{{- define "firesteel.driverRole" -}}
{{ .Release.Name }}-driver
{{- end }}

{{/* Pod Security "restricted". */}}
{{- define "firesteel.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "firesteel.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* What the operator does with the resources of a namespace, and no more. */}}
{{- define "firesteel.operatorRules" -}}
- apiGroups: [firesteel.dev]
  resources: [sparkjobs, scheduledsparkjobs, sparkconnectservers]
  verbs: [get, list, watch]
- apiGroups: [firesteel.dev]
  resources: [sparkjobs]
  verbs: [create, patch, delete]
- apiGroups: [firesteel.dev]
  resources: [sparkconnectservers]
  verbs: [patch]
- apiGroups: [firesteel.dev]
  resources: [sparkjobs/status, scheduledsparkjobs/status, sparkconnectservers/status]
  verbs: [update]
- apiGroups: [firesteel.dev]
  resources: [sparkjobs/finalizers, scheduledsparkjobs/finalizers, sparkconnectservers/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete, deletecollection]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, create, patch, list, deletecollection]
- apiGroups: [""]
  resources: [services]
  verbs: [get, create, patch]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [list]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, create, patch, list, deletecollection]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* What a driver does in its namespace: its executors' pods, the Secret with which they show who they are, its own
report, and a look at what a quota leaves. */}}
{{- define "firesteel.driverRules" -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch, create, patch, delete, deletecollection]
- apiGroups: [""]
  resources: [secrets]
  verbs: [create]
- apiGroups: [""]
  resources: [resourcequotas]
  verbs: [list]
{{- end }}

{{/* Connections of jobs that name none. */}}
{{- define "firesteel.connections" -}}
{{- if .Values.jobs.defaultConnections -}}
{{ toJson .Values.jobs.defaultConnections }}
{{- else if .Values.quickStart.enabled -}}
{{ toJson (list (dict "name" "quick-start" "endpoint" (printf "http://%s.%s.svc:9000" (include "firesteel.s3" .) .Release.Namespace) "pathStyle" true "credentialsSecret" (include "firesteel.s3" .))) }}
{{- end -}}
{{- end }}
