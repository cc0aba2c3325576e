"""The raw protobuf classes of google.cloud.scheduler.v1."""

from google.cloud import scheduler_v1
from google.protobuf.empty_pb2 import Empty as GoogleEmpty

SERVICE = "google.cloud.scheduler.v1.CloudScheduler"

Empty = GoogleEmpty
Job = scheduler_v1.Job.pb()
CreateJobRequest = scheduler_v1.CreateJobRequest.pb()
GetJobRequest = scheduler_v1.GetJobRequest.pb()
ListJobsRequest = scheduler_v1.ListJobsRequest.pb()
ListJobsResponse = scheduler_v1.ListJobsResponse.pb()
UpdateJobRequest = scheduler_v1.UpdateJobRequest.pb()
DeleteJobRequest = scheduler_v1.DeleteJobRequest.pb()
PauseJobRequest = scheduler_v1.PauseJobRequest.pb()
ResumeJobRequest = scheduler_v1.ResumeJobRequest.pb()
RunJobRequest = scheduler_v1.RunJobRequest.pb()
